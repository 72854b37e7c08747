"""Reading rows of an array, converted to input units on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import UsageError

_CHANNELS = (1, 3)


@dataclass(frozen=True, slots=True)
class ArrayRows:
    """Reads rows of an array in memory or on disk.

    Attributes:
        array: (n, d) tables, (n, H, W) or (n, C, H, W) pictures, (n, H, W, C) if ``channels_last``.
        divisor: What values are divided by; 255 for uint8 pictures in [0, 1].
        channels_last: Whether the last axis is the channel.
    """

    array: np.ndarray
    divisor: float = 1.0
    channels_last: bool = False

    @classmethod
    def of(cls, source: str, array: np.ndarray, *, scale: bool) -> ArrayRows:
        """Read an array as its shape and type suggest.

        Args:
            source: What people call the array, for messages.
            array: Rows first. With four axes, channels are where 1 or 3 of them are, the second axis first.
            scale: Whether uint8 pictures are divided by 255.

        Raises:
            UsageError: Not numbers, or not two to four axes.
        """
        if array.dtype.kind not in "biuf" or array.ndim not in (2, 3, 4) or 0 in array.shape[1:]:
            raise UsageError(
                f"{source} has shape {array.shape} and type {array.dtype}.",
                expected="numbers of shape (n, d), (n, H, W), (n, C, H, W) or (n, H, W, C)",
                remedy="store one row for each sample, e.g. x.reshape(len(x), -1)",
            )
        last = array.ndim == 4 and array.shape[1] not in _CHANNELS and array.shape[3] in _CHANNELS
        scaled = scale and array.ndim > 2 and array.dtype == np.uint8
        return cls(array, 255.0 if scaled else 1.0, last)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row as it is read: (d,) or (C, H, W)."""
        one = self.array.shape[1:]
        if len(one) == 2:
            return (1, *one)
        return (one[2], one[0], one[1]) if self.channels_last else one

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows, (m, *shape) float32; a value too large for float32 becomes infinite."""
        with np.errstate(over="ignore"):
            x = np.asarray(self.array[rows], np.float32)
        if self.channels_last:
            x = x.transpose(0, 3, 1, 2)
        if self.divisor != 1:
            x = x / np.float32(self.divisor)
        return np.ascontiguousarray(x).reshape(len(rows), *self.shape)
