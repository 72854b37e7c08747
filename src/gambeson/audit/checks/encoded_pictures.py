"""Inputs as pictures for a report: base64 PNG, small enough for a page."""

from __future__ import annotations

import base64
import io
from importlib.util import find_spec

import numpy as np

LARGEST = 128


def can_encode() -> bool:
    """Whether Pillow is there; without it a report has no pictures, and the figures do not depend on them."""
    return find_spec("PIL") is not None


def encode_png(picture: np.ndarray, largest: int = LARGEST) -> str:
    """A picture as base64 PNG of at most ``largest`` pixels a side.

    Args:
        picture: (C, H, W) in [0, 1], 1 or 3 channels; what lies outside is cut.
        largest: Side above which it is made smaller.
    """
    from PIL import Image

    pixels = (picture.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((largest, largest))
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()
