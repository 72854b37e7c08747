"""Pictures through Pillow: only known formats, checked before they are decoded, decoded one at a time.

Opening a picture reads its header alone, so its size is limited before any memory is spent on it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

from gambeson.core.errors import GambesonError, IntegrityError, Refused, UsageError, missing_extra

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
"""Formats that may be decoded; each further one is more parser exposed to hostile bytes."""

_END_OF_JPEG = b"\xff\xd9"
_CHANNELS = {"L": 1, "RGB": 3}


@dataclass(frozen=True, slots=True)
class Frame:
    """Size and mode that all pictures of a dataset share.

    Attributes:
        width: Pixels.
        height: Pixels.
        mode: ``"L"`` (grey) or ``"RGB"``.
    """

    width: int
    height: int
    mode: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return _CHANNELS[self.mode], self.height, self.width

    def __str__(self) -> str:
        return f"{self.width}×{self.height} {self.mode}"


def inspect_picture(stream: IO[bytes], name: str, max_pixels: int) -> Frame:
    """Size and mode of a picture that is complete as far as can be told without decoding it.

    PNG checksums are compared; a JPEG file must end with its end marker or decode without it; the other
    formats are decoded.

    Raises:
        IntegrityError: It is damaged, cut off or no picture.
        Refused: It has more than ``max_pixels`` pixels.
        UsageError: Its mode is not grey or RGB.
    """
    with warnings.catch_warnings(action="ignore"), _opened(stream, name) as image:
        # Pillow warns of a large picture; the error below says the same
        frame = _frame(image, name, max_pixels)
        if image.format == "PNG":
            image.verify()
        elif image.format != "JPEG" or not _ends_with(stream, _END_OF_JPEG):
            stream.seek(0)
            image.load()
    return frame


def decode_picture(stream: IO[bytes], name: str, frame: Frame) -> np.ndarray:
    """Values of a picture, (C, H, W) uint8.

    Raises:
        IntegrityError: It is damaged, or not of the size and mode of the others.
    """
    with _opened(stream, name) as image:
        found = _frame(image, name, frame.width * frame.height)
        require_frame(name, found, frame)
        values = np.asarray(image, np.uint8)
    return values[None] if frame.mode == "L" else values.transpose(2, 0, 1)


def require_frame(name: str, found: Frame, expected: Frame) -> None:
    """Refuse a picture that differs from the others.

    Raises:
        UsageError: Another size or mode.
    """
    if found != expected:
        raise UsageError(
            f"{name} is {found}, the first picture is {expected}.",
            expected="pictures of one size and one mode",
            remedy="resize or convert it",
        )


def _frame(image: Image, name: str, max_pixels: int) -> Frame:
    width, height = image.size
    if width * height > max_pixels:
        raise Refused(
            f"{name} has {width}×{height} pixels.",
            expected=f"at most {max_pixels:,} pixels",
            remedy="make it smaller, or raise max_pixels if you trust the file",
        )
    if image.mode not in _CHANNELS:
        raise UsageError(
            f"{name} is of mode {image.mode}.",
            expected="grey (L) or RGB, 8 bits a channel",
            remedy="convert it, e.g. with Pillow: Image.open(path).convert('RGB')",
        )
    return Frame(width, height, image.mode)


def _ends_with(stream: IO[bytes], mark: bytes) -> bool:
    stream.seek(-len(mark), os.SEEK_END)
    return stream.read() == mark


@contextmanager
def _opened(stream: IO[bytes], name: str) -> Iterator[Image]:
    """An opened picture; whatever Pillow raises about it becomes one error that names it."""
    try:
        import PIL.Image
    except ImportError:
        raise missing_extra("PIL", "data") from None
    try:
        with PIL.Image.open(stream, formats=FORMATS) as image:
            yield image
    except GambesonError:
        raise
    except PIL.Image.DecompressionBombError as error:
        raise Refused(f"{name} is a decompression bomb: {error}", remedy="remove it") from None
    except Exception as error:  # decoders raise nearly anything on hostile bytes
        raise IntegrityError(
            f"{name} is cut off, damaged or no picture: {error}.",
            expected=f"an intact picture ({', '.join(FORMATS)})",
            remedy="replace or remove it",
        ) from None
