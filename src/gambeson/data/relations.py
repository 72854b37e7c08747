"""Relations between the columns of a table: what a row must satisfy to be one that could exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.schema import Determines, Feature, Kind, Linear, Relation

_SENSE = re.compile(r"->|<=|>=|=<|=>|==|=|<|>")
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+"
_EXPECTED = "such as 'total = a + 2*b', 'start < end' or 'city -> zip_code'"


def parse_relations(texts: Sequence[str], features: Sequence[Feature]) -> tuple[Relation, ...]:
    """Read relations as users write them.

    Args:
        texts: Linear ones compare two sums, ``start < end``, ``total = a + 2*b``; ``a -> b`` says that the
            category ``a`` determines the value of ``b``, which is learnt from the data.
        features: Columns of the table.

    Returns:
        One relation for each text; what a category determines is still empty (:func:`learn`).

    Raises:
        UsageError: A text is no relation, names no or an unknown feature, can never hold within the bounds, or
            says of two categories which one is larger.
    """
    named = {feature.name: feature for feature in features}
    return tuple(_parse(text.strip(), named) for text in texts)


def _parse(text: str, named: Mapping[str, Feature]) -> Relation:
    senses = _SENSE.findall(text)
    if len(senses) != 1:
        raise _unreadable(text, "needs one comparison or arrow")
    left, right = _SENSE.split(text)
    if senses[0] == "->":
        return _determines(text, left.strip(), right.strip(), named)
    weights, constant = _sum(text, left, named)
    minus, minus_constant = _sum(text, right, named)
    for name, weight in minus.items():
        weights[name] = weights.get(name, 0.0) - weight
    sense = senses[0].replace("=<", "<=").replace("=>", ">=").replace("==", "=")
    sign = -1.0 if sense.startswith(">") else 1.0
    terms = tuple((name, sign * weight) for name, weight in weights.items() if weight)
    if not terms:
        raise _unreadable(text, "relates no features")
    relation = Linear(text, terms, sign * (constant - minus_constant), sense.replace(">", "<"))
    _require_possible(relation, named)
    return relation


def _determines(text: str, source: str, target: str, named: Mapping[str, Feature]) -> Determines:
    for name in (source, target):
        if name not in named:
            raise _unreadable(text, f"names the unknown feature {name!r}")
    if source == target or named[source].kind is not Kind.CATEGORICAL:
        raise UsageError(
            f"The relation {text!r} needs a category before the arrow and another feature after it.",
            remedy=f"read {source!r} as a category: --data-option categorical={source}",
        )
    return Determines(text, source, target)


def _sum(text: str, part: str, named: Mapping[str, Feature]) -> tuple[dict[str, float], float]:
    """Weights by name and the constant of ``2*a + b - 3``."""
    names = "|".join(re.escape(name) for name in sorted(named, key=len, reverse=True))
    term = re.compile(rf"\s*([+-]?)\s*(?:({_NUMBER})\s*\*\s*)?(?:({names})|({_NUMBER}))\s*(?=[+-]|$)")
    weights: dict[str, float] = {}
    constant, at = 0.0, 0
    while at < len(part):
        found = term.match(part, at)
        if found is None or (at and not found[1]):
            left = part[at:].strip()
            near = difflib.get_close_matches(left, named, n=1)
            raise _unreadable(
                text,
                f"has {left!r}, which is no sum of features and numbers",
                f"did you mean {near[0]!r}?" if near else "",
            )
        factor = (-1.0 if found[1] == "-" else 1.0) * float(found[2] or 1)
        if found[3]:
            weights[found[3]] = weights.get(found[3], 0.0) + factor
        else:
            constant += factor * float(found[4])
        at = found.end()
    if not part.strip():
        raise _unreadable(text, "has nothing on one side")
    return weights, constant


def _unreadable(text: str, problem: str, remedy: str = "") -> UsageError:
    return UsageError(f"The relation {text!r} {problem}.", expected=_EXPECTED, remedy=remedy)


def _require_possible(relation: Linear, named: Mapping[str, Feature]) -> None:
    for name, _ in relation.terms:
        if named[name].kind is Kind.CATEGORICAL:
            raise UsageError(
                f"The relation {relation.text!r} computes with the category {name!r}.",
                remedy="relate numbers, or say what the category determines with '->'",
            )
    ends = [sorted((weight * named[name].low, weight * named[name].high)) for name, weight in relation.terms]
    least, most = (relation.constant + sum(end[side] for end in ends) for side in (0, 1))
    slack = 1e-6 * max(abs(least), abs(most), 1.0)
    if least > slack or (relation.sense == "=" and most < -slack) or (relation.sense == "<" and least >= 0):
        raise UsageError(
            f"The relation {relation.text!r} can hold for no row within the bounds of its features.",
            remedy="correct the relation, or the bounds low and high",
        )


def learn(relation: Determines, features: Sequence[Feature], x: np.ndarray, source: str) -> Determines:
    """What each category determines, from rows that show it.

    Args:
        relation: The arrow.
        features: Columns of the table.
        x: (n, d) rows.
        source: What people call the data, for messages.

    Raises:
        UsageError: Two rows of one category have different values.
    """
    places = {feature.name: place for place, feature in enumerate(features)}
    codes, values = x[:, places[relation.source]].astype(int), x[:, places[relation.target]]
    table = np.array(relation.values or [np.nan] * len(features[places[relation.source]].categories))
    for code in np.unique(codes):
        seen = np.unique(values[codes == code])
        seen = seen if np.isnan(table[code]) else np.union1d(seen, [table[code]])
        if len(seen) > 1:
            category = features[places[relation.source]].categories[code]
            raise UsageError(
                f"The relation {relation.text!r} does not hold in {source}: {relation.source}={category!r} comes "
                f"with {relation.target} {seen[0]:g} and {seen[1]:g}.",
                remedy="correct the rows or leave the relation out",
            )
        table[code] = seen[0]
    return replace(relation, values=tuple(table.tolist()))
