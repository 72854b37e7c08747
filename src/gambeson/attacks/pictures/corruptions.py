"""Common corruptions: what cameras, weather and compression do to pictures, at five severities.

No attacker chooses them: they measure how much accuracy an ordinary change of conditions costs.

Source: the kinds and the five severities are those of Hendrycks & Dietterich 2019, arXiv:1903.12261, section 3;
formulas and parameters are our own, relative to the input's range and to a side of 32 pixels, so that figures are
not comparable with CIFAR-10-C or ImageNet-C.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.randomness import SampleRandom

SEVERITIES = (1, 2, 3, 4, 5)
_SIDE = 32
"""Sizes in pixels are stated for pictures of this side and grow with it."""
_FIELD = 4
"""Cells along a side of the coarsest layer of fog."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind.

    Attributes:
        name: For reports.
        apply: ``apply(x, strength, rng) -> (n, C, H, W)`` for x in [0, 1]; the result is cut to [0, 1].
        strengths: One for each severity.
        needs: Package that it needs beyond torch, or empty.
    """

    name: str
    apply: Callable[[Tensor, float, SampleRandom], Tensor]
    strengths: tuple[float, ...]
    needs: str = ""


def corrupt(
    kind: Corruption, severity: int, x: Tensor, rng: SampleRandom, bounds: tuple[float, float]
) -> Tensor:
    """Corrupted pictures within the bounds.

    Args:
        kind: What is done.
        severity: 1 to 5.
        x: (n, C, H, W) in input units, on the CPU.
        rng: One generator per picture; the same noise at every severity, only stronger.
        bounds: Smallest and largest allowed input value.
    """
    low, high = bounds
    unit = ((x - low) / (high - low)).clamp(0, 1)
    changed = kind.apply(unit, kind.strengths[severity - 1], rng).clamp(0, 1)
    return (low + (high - low) * changed).clamp(low, high)


def _gaussian_noise(x: Tensor, sigma: float, rng: SampleRandom) -> Tensor:
    return x + sigma * rng.normal(0, *x.shape[1:])


def _shot_noise(x: Tensor, photons: float, rng: SampleRandom) -> Tensor:
    """Counting noise of a bright pixel that catches so many photons, in its normal approximation."""
    return x + (x / photons).sqrt() * rng.normal(0, *x.shape[1:])


def _impulse_noise(x: Tensor, share: float, rng: SampleRandom) -> Tensor:
    """Salt and pepper."""
    draw = rng.uniform(0, *x.shape[1:])
    return torch.where(draw < share / 2, 0.0, torch.where(draw > 1 - share / 2, 1.0, x))


def _gaussian_blur(x: Tensor, sigma: float, rng: SampleRandom) -> Tensor:
    sigma = sigma * _pixels(x)
    at = torch.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1, dtype=torch.float32)
    weights = (-(at**2) / (2 * sigma**2)).exp()
    return _filter(_filter(x, weights[None, :]), weights[:, None])


def _defocus_blur(x: Tensor, radius: float, rng: SampleRandom) -> Tensor:
    """A disk with an edge one pixel wide."""
    radius = radius * _pixels(x)
    at = torch.arange(-math.ceil(radius), math.ceil(radius) + 1, dtype=torch.float32)
    distance = (at[:, None] ** 2 + at[None, :] ** 2).sqrt()
    return _filter(x, (radius + 0.5 - distance).clamp(0, 1))


def _motion_blur(x: Tensor, length: float, rng: SampleRandom) -> Tensor:
    """The mean of nine views along a line of this length, in a direction of each picture's own."""
    n, _, height, width = x.shape
    turn = math.pi * rng.uniform(0, 1)[:, 0]
    row = (torch.arange(height) * 2 + 1) / height - 1
    column = (torch.arange(width) * 2 + 1) / width - 1
    total = torch.zeros_like(x)
    for step in range(-4, 5):
        along = step / 8 * length * _pixels(x)
        down, right = (2 * along / height * turn.sin(), 2 * along / width * turn.cos())
        grid = torch.stack(
            [
                (column[None, None] + right[:, None, None]).expand(n, height, width),
                (row[None, :, None] + down[:, None, None]).expand(n, height, width),
            ],
            -1,
        )
        total += F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return total / 9


def _fog(x: Tensor, density: float, rng: SampleRandom) -> Tensor:
    """A bright layer of smooth random thickness: noise of ever finer cells, each half as strong."""
    height, width = x.shape[2:]
    field, weight = torch.zeros(len(x), 1, height, width), 0.0
    for octave in range(3):
        cells = _FIELD * 2**octave
        noise = rng.uniform(0, 1, cells, cells, stream=octave)
        field += 0.5**octave * F.interpolate(noise, (height, width), mode="bilinear", align_corners=False)
        weight += 0.5**octave
    thickness = density * (0.5 + field / weight)
    return (x + thickness) / (1 + thickness)


def _brightness(x: Tensor, more: float, rng: SampleRandom) -> Tensor:
    return x + more


def _contrast(x: Tensor, kept: float, rng: SampleRandom) -> Tensor:
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + kept * (x - mean)


def _pixelate(x: Tensor, kept: float, rng: SampleRandom) -> Tensor:
    """Fewer pixels, each the mean of what it covers, shown as squares."""
    size = [max(1, round(kept * side)) for side in x.shape[2:]]
    return F.interpolate(F.interpolate(x, size, mode="area"), x.shape[2:], mode="nearest")


def _jpeg(x: Tensor, quality: float, rng: SampleRandom) -> Tensor:
    from PIL import Image

    pixels = (x * 255).round().to(torch.uint8).numpy().transpose(0, 2, 3, 1)
    out = np.empty_like(pixels)
    for row, picture in zip(out, pixels, strict=True):
        stream = io.BytesIO()
        image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
        image.save(stream, "JPEG", quality=int(quality))
        row[:] = np.asarray(Image.open(stream)).reshape(picture.shape)
    return torch.from_numpy(out.transpose(0, 3, 1, 2).astype(np.float32) / 255)


def _pixels(x: Tensor) -> float:
    """Pixels of this picture for one pixel of a picture of 32."""
    return min(x.shape[2:]) / _SIDE


def _filter(x: Tensor, weights: Tensor) -> Tensor:
    """Convolution of every channel with weights that are made to sum to 1; edges repeat outwards."""
    channels, (height, width) = x.shape[1], weights.shape
    padded = F.pad(x, (width // 2, width // 2, height // 2, height // 2), mode="replicate")
    kernel = (weights / weights.sum()).expand(channels, 1, height, width)
    return F.conv2d(padded, kernel, groups=channels)


CORRUPTIONS = (
    Corruption("gaussian noise", _gaussian_noise, (0.04, 0.06, 0.08, 0.10, 0.14)),
    Corruption("shot noise", _shot_noise, (400, 200, 100, 60, 35)),
    Corruption("impulse noise", _impulse_noise, (0.01, 0.02, 0.04, 0.06, 0.09)),
    Corruption("gaussian blur", _gaussian_blur, (0.4, 0.6, 0.8, 1.0, 1.4)),
    Corruption("defocus blur", _defocus_blur, (0.8, 1.1, 1.5, 1.9, 2.4)),
    Corruption("motion blur", _motion_blur, (2.0, 3.0, 4.0, 5.0, 7.0)),
    Corruption("fog", _fog, (0.2, 0.4, 0.7, 1.0, 1.5)),
    Corruption("brightness", _brightness, (0.05, 0.1, 0.15, 0.2, 0.3)),
    Corruption("contrast", _contrast, (0.75, 0.6, 0.45, 0.3, 0.2)),
    Corruption("pixelate", _pixelate, (0.9, 0.8, 0.7, 0.6, 0.45)),
    Corruption("jpeg", _jpeg, (80, 60, 40, 25, 12), needs="PIL"),
)
"""All kinds, each with its strength at severities 1 to 5."""
