"""Validation of features as a stream: finite values, within the bounds, and the range they cover."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Split

_VALUES = 1 << 22
"""Values read at a time: 16 MiB of float32."""


def survey(
    source: str,
    splits: Mapping[str, Split],
    shape: tuple[int, ...],
    *,
    names: Sequence[str] = (),
    low: float | np.ndarray | None = None,
    high: float | np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Read every row once and return the range of each value.

    Args:
        source: What people call the data, for messages.
        splits: Splits by name; ``""`` names rows that have not been divided yet.
        shape: Shape of one sample.
        names: Column names of a table.
        low: Smallest allowed value, one or for each value of a sample, or ``None``.
        high: Largest allowed value.

    Returns:
        Smallest and largest values, float32, each of shape ``shape``.

    Raises:
        UsageError: A split without rows, a value that is NaN or infinite in float32, or one out of bounds.
    """
    least, most = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    for split, rows in splits.items():
        require_rows(source, split, len(rows))
        start = 0
        for x, _ in rows.batches(max(1, _VALUES // max(1, math.prod(shape)))):
            _require_valid(f"{source}{_of_split(split)}", x, start, names, low, high)
            least, most = np.minimum(least, x.min(axis=0)), np.maximum(most, x.max(axis=0))
            start += len(x)
    return least, most


def require_rows(source: str, split: str, rows: int) -> None:
    """Refuse a split without rows.

    Raises:
        UsageError: ``rows`` is 0.
    """
    if rows == 0:
        raise UsageError(f"{source}{_of_split(split)} has no rows.", expected="at least 1 row")


def _of_split(split: str) -> str:
    return f", split {split!r}" if split else ""


def _require_valid(
    place: str,
    x: np.ndarray,
    start: int,
    names: Sequence[str],
    low: float | np.ndarray | None,
    high: float | np.ndarray | None,
) -> None:
    finite = np.isfinite(x)
    if not finite.all():
        at, where = _first(~finite, names)
        raise UsageError(
            f"{place}, row {start + at[0]}, {where} is {x[at]}.",
            expected="finite float32 values (rows count from 0)",
            remedy="remove the row or fill the value in",
        )
    for side, bound, outside, word in (("low", low, np.less, "below"), ("high", high, np.greater, "above")):
        if bound is not None and (wrong := outside(x, np.float32(bound))).any():
            at, where = _first(wrong, names)
            limit = np.broadcast_to(bound, x.shape)[at]
            raise UsageError(
                f"{place}, row {start + at[0]}, {where} is {x[at]:g}, {word} the bound {side}={limit:g}.",
                expected="every value within the bounds, in input units (rows count from 0)",
                remedy=f"correct the value, or change {side}",
            )


def _first(wrong: np.ndarray, names: Sequence[str]) -> tuple[tuple[int, ...], str]:
    """Index of the first wrong value, and its place within the row in words."""
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    return at, f"column {names[at[1]]!r}" if names else f"value {at[1:]}"
