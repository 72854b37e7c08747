"""A dataset in words: the facts that a report shows."""

from __future__ import annotations

from collections import Counter

from gambeson.data.dataset import Dataset
from gambeson.data.schema import Schema

_NAMES_SHOWN = 10


def describe(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Facts about a dataset as ``(name, value)``: rows of each split, classes, shape, bounds, features."""
    schema = dataset.schema
    facts = [(f"rows in {name}", f"{len(split):,}") for name, split in dataset.splits.items()]
    if dataset.drawn:
        facts.append(("splits", dataset.drawn))
    facts.append(("classes", f"{len(schema.classes)}: {_listed(schema.classes)}"))
    facts.append(("shape of one input", " × ".join(map(str, schema.shape))))
    facts.append(("input bounds", _bounds(schema)))
    if schema.features:
        facts.append(("features", _features(schema)))
    frozen = tuple(f.name for f in schema.features if f.frozen)
    if frozen:
        facts.append(("frozen features", _listed(frozen)))
    if schema.relations:
        facts.append(("relations", "; ".join(relation.text for relation in schema.relations)))
    if schema.one_hot:
        facts.append(("one-hot groups", _listed(tuple(f"{g[0]} … {g[-1]}" for g in schema.one_hot))))
    if schema.sensitive:
        facts.append(("sensitive features", _listed(schema.sensitive)))
    if schema.confidential:
        facts.append(("confidential share", " = ".join(schema.confidential)))
    return tuple(facts)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    left = len(names) - _NAMES_SHOWN
    return f"{shown} and {left} more" if left > 0 else shown


def _bounds(schema: Schema) -> str:
    low, high = schema.bounds()
    if low.min() == low.max() and high.min() == high.max():
        return f"[{low.min():g}, {high.max():g}]"
    return f"per feature, within [{low.min():g}, {high.max():g}]"


def _features(schema: Schema) -> str:
    kinds = Counter(feature.kind.value for feature in schema.features)
    return f"{len(schema.features)}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
