"""Encoded pictures end to end in one array, decoded row by row as they are read."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.pictures import Frame, decode_picture, inspect_picture, require_frame


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Reads JPEG or PNG files from a byte array.

    Attributes:
        source: What people call the data, for messages.
        data: (bytes,) uint8, the files end to end.
        offsets: (n + 1,) int64: picture i is ``data[offsets[i]:offsets[i + 1]]``.
        frame: Size and mode of every picture.
        divisor: 255 for values in [0, 1], 1 for values in [0, 255].
    """

    source: str
    data: np.ndarray
    offsets: np.ndarray
    frame: Frame
    divisor: float

    @classmethod
    def of(cls, source: str, data: np.ndarray, offsets: np.ndarray, options: DataOptions) -> EncodedRows:
        """Inspect every picture, without decoding it, before any is used.

        Raises:
            UsageError: The arrays are of the wrong kind, or a picture differs from the first.
            IntegrityError: Offsets that do not fit the bytes, or a damaged picture.
            Refused: A picture with too many pixels.
        """
        if data.dtype != np.uint8 or data.ndim != 1 or offsets.dtype.kind not in "iu" or offsets.ndim != 1:
            raise UsageError(
                f"{source} holds bytes of type {data.dtype} {data.shape} and offsets of type "
                f"{offsets.dtype} {offsets.shape}.",
                expected="bytes: uint8 of shape (size,); offsets: integers of shape (n + 1,)",
            )
        starts = np.array(offsets, np.int64)
        if len(starts) < 2 or starts[0] != 0 or starts[-1] != len(data) or (np.diff(starts) <= 0).any():
            raise IntegrityError(
                f"The offsets of {source} do not fit its {len(data):,} bytes.",
                expected="ascending from 0 to the number of bytes, for at least one picture",
                remedy="create the file again",
            )
        first = inspect_picture(io.BytesIO(data[: starts[1]].tobytes()), _row(source, 0), options.max_pixels)
        rows = cls(source, data, starts, first, 255.0 if options.scale else 1.0)
        for row in range(1, len(rows)):
            name = _row(source, row)
            require_frame(name, inspect_picture(rows.open(row), name, options.max_pixels), first)
        return rows

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.frame.shape

    def open(self, row: int) -> io.BytesIO:
        """The file of one row."""
        return io.BytesIO(self.data[self.offsets[row] : self.offsets[row + 1]].tobytes())

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows, (m, C, H, W) float32.

        Raises:
            IntegrityError: A picture cannot be decoded.
        """
        x = np.empty((len(rows), *self.shape), np.float32)
        for place, row in enumerate(rows.tolist()):
            x[place] = decode_picture(self.open(row), _row(self.source, row), self.frame)
        return x / np.float32(self.divisor)


def _row(source: str, row: int) -> str:
    return f"Picture {row} of {source}"
