"""The grid of inputs a model of a table can be asked about: numbers by their place among the float32, and codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.data.schema import Kind, Schema

_SIGN = np.int64(0x80000000)
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Grid:
    """Places are whole numbers in the order of the values: two neighbours have no float32 between them.

    Attributes:
        shape: Of an input.
        low: (d,) int64 lowest places; ``high`` highest.
        numeric: (d,) bool, float32 numbers; the others are whole numbers or codes.
        categorical: (d,) bool, codes, whose order says nothing.
    """

    shape: tuple[int, ...]
    low: np.ndarray
    high: np.ndarray
    numeric: np.ndarray
    categorical: np.ndarray

    @classmethod
    def of(cls, schema: Schema) -> Grid:
        """That of a schema; what has no bounds ends where float32 ends."""
        d = int(np.prod(schema.shape))
        low, high = (np.clip(b.reshape(-1).astype(np.float64), -_LARGEST, _LARGEST) for b in schema.bounds())
        kinds = [f.kind for f in schema.features] or [Kind.NUMERIC] * d
        numeric = np.array([kind is Kind.NUMERIC for kind in kinds])
        categorical = np.array([kind is Kind.CATEGORICAL for kind in kinds])
        whole = [np.where(numeric, 0, rounded).astype(np.int64) for rounded in (np.ceil(low), np.floor(high))]
        places = [np.where(numeric, _place(end), n) for end, n in zip((low, high), whole, strict=True)]
        return cls(schema.shape, places[0], places[1], numeric, categorical)

    def places(self, x: np.ndarray) -> np.ndarray:
        """(n, d) int64 of inputs (n, *shape), those outside the bounds brought to them."""
        flat = x.reshape(len(x), -1)
        whole = np.where(self.numeric, 0, np.rint(flat)).astype(np.int64)
        found = np.where(self.numeric, _place(flat), whole)
        return np.clip(found, self.low, self.high)

    def inputs(self, places: np.ndarray) -> np.ndarray:
        """(n, *shape) float32 at places (n, d)."""
        return np.where(self.numeric, _value(places), places).astype(np.float32).reshape(-1, *self.shape)

    def between(self, low: np.ndarray, high: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Places (n, d) that divide the values from ``low`` to ``high`` as ``u`` divides [0, 1)."""
        ends = [np.where(self.numeric, _value(end), end + extra) for end, extra in ((low, 0.0), (high, 1.0))]
        value = ends[0] + u * (ends[1] - ends[0])
        whole = np.where(self.numeric, 0, np.floor(value)).astype(np.int64)
        found = np.where(self.numeric, _place(value), whole)
        return np.clip(found, low, high)


def _place(values: np.ndarray) -> np.ndarray:
    """Of float32 numbers: 0 for both zeros, then 1, 2, ... for the positive ones, -1, -2, ... for the negative ones."""
    bits = values.astype(np.float32).view(np.int32).astype(np.int64)
    return np.asarray(np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF)))


def _value(places: np.ndarray) -> np.ndarray:
    """float64 values of places."""
    bits = np.where(places >= 0, places, _SIGN | -places).astype(np.uint32)
    with np.errstate(invalid="ignore"):  # places of whole numbers pass through here too
        return np.asarray(bits.view(np.float32).astype(np.float64))
