"""What users declare of a table beyond its columns: one-hot groups, relations, and what is sensitive in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Split
from gambeson.data.relations import learn, parse_relations
from gambeson.data.schema import Determines, Feature, Schema
from gambeson.data.sources.options import DataOptions

_VALUES = 1 << 22
"""Values read at a time: 16 MiB of float32."""


def declare(source: str, schema: Schema, splits: Mapping[str, Split], options: DataOptions) -> Schema:
    """The schema with what ``options`` declare; relations and one-hot groups after a look at every row.

    Args:
        source: What people call the data, for messages.
        schema: Columns and bounds.
        splits: Splits by name; ``""`` names rows that have not been divided yet.
        options: ``relations``, ``one_hot``, ``sensitive`` and ``confidential``.

    Raises:
        UsageError: A relation cannot be read or can never hold, a pattern matches fewer than two columns or one
            that is in another group, a row breaks one of them, or a sensitive column or confidential value does not
            exist.
    """
    if not (options.relations or options.one_hot or options.sensitive or options.confidential):
        return schema
    schema = replace(
        schema,
        sensitive=_sensitive(source, options.sensitive, schema.features),
        confidential=_confidential(source, options.confidential, schema.features),
    )
    relations = parse_relations(options.relations, schema.features)
    schema = replace(schema, relations=relations, one_hot=_groups(source, options.one_hot, schema.features))
    size = max(1, _VALUES // max(1, math.prod(schema.shape)))
    for rows in splits.values():
        for x, _ in rows.batches(size):
            learnt = [
                learn(r, schema.features, x, source) if isinstance(r, Determines) else r
                for r in schema.relations
            ]
            schema = replace(schema, relations=tuple(learnt))
    for split, rows in splits.items():
        start = 0
        for x, _ in rows.batches(size):
            _require_consistent(f"{source}{f', split {split!r}' if split else ''}", schema, x, start)
            start += len(x)
    return schema


def _sensitive(source: str, names: Sequence[str], features: Sequence[Feature]) -> tuple[str, ...]:
    for name in names:
        _find(source, name, features, f"sensitive={name}")
    return tuple(names)


def _confidential(source: str, text: str, features: Sequence[Feature]) -> tuple[str, str] | tuple[()]:
    if not text:
        return ()
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise UsageError(f"confidential is {text!r}.", expected="COLUMN=VALUE, e.g. sex=Female")
    feature = _find(source, name, features, f"confidential={text}")
    if feature.categories and value not in feature.categories:
        raise UsageError(
            f"{value!r} is no value of the column {name!r} of {source}.",
            expected=", ".join(feature.categories[:20]),
        )
    if not feature.categories and not _is_number(value):
        raise UsageError(f"The column {name!r} holds numbers; {value!r} is none.", expected=f"{name}=NUMBER")
    return name, value


def _find(source: str, name: str, features: Sequence[Feature], option: str) -> Feature:
    for feature in features:
        if feature.name == name:
            return feature
    raise UsageError(
        f"{option} names the column {name!r}, which {source} does not have.",
        expected=", ".join(feature.name for feature in features[:20]),
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _groups(source: str, patterns: Sequence[str], features: Sequence[Feature]) -> tuple[tuple[str, ...], ...]:
    groups: list[tuple[str, ...]] = []
    for pattern in patterns:
        group = tuple(f.name for f in features if fnmatchcase(f.name, pattern))
        if len(group) < 2:
            raise UsageError(
                f"one_hot={pattern} matches {len(group)} columns of {source}.",
                expected="a pattern such as colour_* that matches all columns of one group",
            )
        twice = [name for name in group if any(name in other for other in groups)]
        if twice:
            raise UsageError(
                f"one_hot puts the column {twice[0]!r} into two groups.", remedy="narrow a pattern"
            )
        groups.append(group)
    return tuple(groups)


def _require_consistent(place: str, schema: Schema, x: np.ndarray, start: int) -> None:
    """Name the first row that breaks something, and what it breaks."""
    if schema.consistent(x).all():
        return
    for relation in schema.relations:
        _refuse(
            place, repr(relation.text), schema, replace(schema, relations=(relation,), one_hot=()), x, start
        )
    for group in schema.one_hot:
        text = f"one 1 among {group[0]} … {group[-1]}"
        _refuse(place, text, schema, replace(schema, relations=(), one_hot=(group,)), x, start)


def _refuse(place: str, text: str, schema: Schema, only: Schema, x: np.ndarray, start: int) -> None:
    broken = np.flatnonzero(~only.consistent(x))
    if not len(broken):
        return
    row = x[broken[0]]
    named = {name for r in only.relations for name in _names(r)} | {n for g in only.one_hot for n in g}
    shown = ", ".join(f"{f.name}={row[i]:g}" for i, f in enumerate(schema.features) if f.name in named)
    raise UsageError(
        f"{place}, row {start + broken[0]} breaks the relation {text}: {shown[:200]}. So do {len(broken) - 1} of "
        f"the {len(x) - 1} rows read with it.",
        expected="rows that keep every declared relation (rows count from 0)",
        remedy="correct the rows, or the relation",
    )


def _names(relation: object) -> tuple[str, ...]:
    if isinstance(relation, Determines):
        return relation.source, relation.target
    return tuple(name for name, _ in getattr(relation, "terms", ()))
