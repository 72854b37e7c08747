"""Features of a table: from column names and value ranges to the schema's columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.schema import Feature, Kind
from gambeson.data.sources.options import DataOptions, nearest


def name_columns(source: str, count: int, given: Sequence[str]) -> tuple[str, ...]:
    """Names of ``count`` columns: those given, or ``x0``, ``x1``, ...

    Raises:
        UsageError: Another number of names was given, an empty one, or one of them twice.
    """
    names = tuple(given) or tuple(f"x{place}" for place in range(count))
    if len(names) != count:
        raise UsageError(f"{source} has {count} columns, but {len(names)} names were given.")
    for place, name in enumerate(names):
        if not name:
            raise UsageError(
                f"Column {place} of {source} has no name (columns count from 0).",
                remedy="name every column, or write the table without its row index (pandas: index=False)",
            )
        if name in names[:place]:
            raise UsageError(f"{source} has two columns called {name!r}.", remedy="rename one of them")
    return names


def require_columns(source: str, option: str, chosen: Iterable[str], names: Sequence[str]) -> None:
    """Refuse column names that do not exist.

    Raises:
        UsageError: One of ``chosen`` is not among ``names``.
    """
    for name in chosen:
        if name not in names:
            shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
            raise UsageError(
                f"{option}={name}: {source} has no such column.", expected=shown, remedy=nearest(name, names)
            )


def make_features(
    names: Sequence[str],
    kinds: Sequence[Kind],
    categories: Sequence[tuple[str, ...]],
    ranges: tuple[np.ndarray, np.ndarray],
    options: DataOptions,
) -> tuple[Feature, ...]:
    """Columns of a schema.

    Args:
        names: d column names.
        kinds: d kinds.
        categories: d tuples of category names, empty for numbers.
        ranges: Smallest and largest values, each (d,); they are the bounds where ``options`` give none.
            A category may be any of its column's.
        options: Bounds and frozen features.
    """
    features = []
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        low, high = (float(bound[place]) for bound in ranges)
        if kind is Kind.CATEGORICAL:
            low, high = 0.0, float(len(categories[place]) - 1)
        else:
            low = low if options.low is None else options.low
            high = high if options.high is None else options.high
        features.append(Feature(name, kind, low, high, categories[place], name in options.freeze))
    return tuple(features)
