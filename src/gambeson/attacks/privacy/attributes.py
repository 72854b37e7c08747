"""Attributes of a table that an attacker may want to infer, and rows in which one of them is tried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.schema import Kind, Schema

MOST_VALUES = 10
"""Values up to which a category counts as an attribute to infer, unless it is named."""
_MOST_NAMED = 64


@dataclass(frozen=True, slots=True)
class Attribute:
    """A feature with few values, or a one-hot group.

    Attributes:
        name: Its column; of a group its first column and an ellipsis.
        columns: Places of its columns in a row.
        values: Names of its values, in the order of their codes.
        cells: What stands in the cell for each value, where it is one column.
    """

    name: str
    columns: tuple[int, ...]
    values: tuple[str, ...]
    cells: tuple[float, ...] = ()

    def read(self, x: np.ndarray) -> np.ndarray:
        """(n,) int64 codes of the values in rows (n, d); -1 for a value that it does not know."""
        if len(self.columns) > 1:
            return np.asarray(x[:, self.columns].argmax(axis=1), np.int64)
        same = x[:, self.columns] == np.array(self.cells, np.float32)
        return np.where(same.any(axis=1), same.argmax(axis=1), -1).astype(np.int64)

    def hide(self, x: np.ndarray) -> np.ndarray:
        """(n, d - columns) what is left of the rows without it."""
        return np.delete(x, self.columns, axis=1)

    def put(self, x: np.ndarray, code: int) -> np.ndarray:
        """(n, d) the rows with this value in place of their own."""
        tried = x.copy()
        if len(self.columns) > 1:
            tried[:, self.columns] = np.eye(len(self.columns), dtype=np.float32)[code]
        else:
            tried[:, self.columns[0]] = self.cells[code]
        return tried


def choose_attributes(schema: Schema, named: Sequence[str] = ()) -> tuple[Attribute, ...]:
    """The attributes that are named, else every one with few values.

    Few are 2 to 10, of a category or a one-hot group, or 2 of a whole number.

    Args:
        schema: Of the table.
        named: Columns; any column of a one-hot group names the group.

    Raises:
        UsageError: A name is no column, or that column has more than 64 values or values in between.
    """
    grouped = {name: group for group in schema.one_hot for name in group}
    if not named:
        singles = [
            f.name
            for f in schema.features
            if f.name not in grouped and 2 <= _count(schema, f.name) <= MOST_VALUES
        ]
        groups = [group[0] for group in schema.one_hot if len(group) <= MOST_VALUES]
        counted = [
            n
            for n in singles
            if schema.features[schema.place(n)].kind is not Kind.INTEGER or _count(schema, n) == 2
        ]
        return tuple(_attribute(schema, grouped, name) for name in (*counted, *groups))
    known = {feature.name for feature in schema.features}
    for name in named:
        if name not in known:
            raise UsageError(
                f"The sensitive feature {name!r} is not in the data.", expected=", ".join(sorted(known))
            )
        if name not in grouped and not 2 <= _count(schema, name) <= _MOST_NAMED:
            raise UsageError(
                f"The sensitive feature {name!r} has no 2 to {_MOST_NAMED} values that could be tried one by one.",
                expected="a category, a whole number of small range, or a one-hot group",
                remedy=f"divide it into ranges, or read it with categorical={name}",
            )
    found = {attribute.name: attribute for attribute in (_attribute(schema, grouped, name) for name in named)}
    return tuple(found.values())


def _count(schema: Schema, name: str) -> int:
    """Values that a column can take; 0 for any number."""
    feature = schema.features[schema.place(name)]
    if feature.kind is Kind.CATEGORICAL:
        return len(feature.categories)
    return int(feature.high - feature.low) + 1 if feature.kind is Kind.INTEGER else 0


def _attribute(schema: Schema, grouped: dict[str, tuple[str, ...]], name: str) -> Attribute:
    if name in grouped:
        group = grouped[name]
        return Attribute(f"{group[0]}…", tuple(schema.place(member) for member in group), group)
    place, count = schema.place(name), _count(schema, name)
    feature = schema.features[place]
    if feature.kind is Kind.CATEGORICAL:
        return Attribute(name, (place,), feature.categories, tuple(map(float, range(count))))
    cells = tuple(feature.low + code for code in range(count))
    return Attribute(name, (place,), tuple(f"{cell:g}" for cell in cells), cells)
