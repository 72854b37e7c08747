"""Picture files for the tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def picture(values: np.ndarray, form: str = "PNG", mode: str | None = None) -> bytes:
    """A picture file of (H, W) or (H, W, 3) uint8 values."""
    out = io.BytesIO()
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(out, form)
    return out.getvalue()


def noise(seed: int, shape: tuple[int, ...] = (6, 5, 3)) -> np.ndarray:
    """Random uint8 values."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
