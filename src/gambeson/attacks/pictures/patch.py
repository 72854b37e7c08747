"""The adversarial patch: one square that is pasted over a small part of any picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.harness import Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.shared import clipped_cross_entropy
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

SCALES = (0.8, 1.2)
"""Smallest and largest side, relative to that of the mean area."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each sample's patch lies: (n,) int64 first row, first column and side, in pixels."""

    top: Tensor
    left: Tensor
    side: Tensor

    def mask(self, height: int, width: int) -> Tensor:
        """(n, 1, height, width) bool: the pixels that the patch covers."""
        row, column = torch.arange(height), torch.arange(width)
        rows = _within(row.to(self.top.device), self.top, self.side)
        columns = _within(column.to(self.top.device), self.left, self.side)
        return (rows[:, :, None] & columns[:, None, :])[:, None]


def _within(pixels: Tensor, start: Tensor, side: Tensor) -> Tensor:
    return (pixels >= start[:, None]) & (pixels < (start + side)[:, None])


def side_of(share: float, height: int, width: int) -> int:
    """Side of a square that covers this share of a picture, at least 1 pixel."""
    return max(1, min(round(math.sqrt(share * height * width)), height, width))


def draw_places(rng: SampleRandom, step: int, share: float, height: int, width: int) -> Places:
    """A random place and a random side within ``SCALES`` for each sample, wholly inside the picture."""
    side = side_of(share, height, width)
    low, high = (max(1, min(round(side * scale), height, width)) for scale in SCALES)
    draw = rng.uniform(step, 3)
    sides = (low + draw[:, 0] * (high - low + 1)).long()
    top = (draw[:, 1] * (height - sides + 1)).long()
    left = (draw[:, 2] * (width - sides + 1)).long()
    return Places(top, left, sides)


def paste(x: Tensor, patch: Tensor, places: Places) -> Tensor:
    """Pictures with the patch over them, resized to each place by bilinear interpolation.

    Args:
        x: (n, C, H, W).
        patch: (1, C, s, s), or (n, C, s, s) for one each.
        places: Where.
    """
    n, _, height, width = x.shape
    row = _inside_patch(torch.arange(height, device=x.device), places.top, places.side)
    column = _inside_patch(torch.arange(width, device=x.device), places.left, places.side)
    grid = torch.stack(
        [column[:, None, :].expand(n, height, width), row[:, :, None].expand(n, height, width)], dim=-1
    )
    spread = F.grid_sample(
        patch.expand(n, *patch.shape[1:]), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return torch.where(places.mask(height, width), spread, x)


def _inside_patch(pixels: Tensor, start: Tensor, side: Tensor) -> Tensor:
    """(n, pixels) where each pixel's centre lies in the patch, -1 to 1 from edge to edge."""
    return (pixels + 0.5 - start[:, None]) / side[:, None] * 2 - 1


def only_patched(x: Tensor, patched: Tensor, places: Places, low: float, high: float) -> Tensor:
    """Whether each picture differs from its original inside its patch only and is within the bounds: (n,) bool."""
    kept = (patched == x) | places.mask(*x.shape[2:])
    return (kept & (patched >= low) & (patched <= high)).flatten(1).all(1)


class Patch:
    """A square (1, C, s, s) of input values, fitted by ``shared.fit_shared`` at ever new places and sizes.

    Args:
        passes: The model.
        samples: (n, C, H, W) pictures that it is fitted on.
        share: Share of the picture's area that it covers on average.
        low, high: Bounds of the input.
        seed: Of the start and the places.

    Attributes:
        oracle: The attacker's view of the model; it counts the queries.

    Source: Brown et al. 2017, arXiv:1712.09665. Deviations: untargeted, no rotation, the ascent of
    ``shared.fit_shared``.
    """

    def __init__(
        self, passes: Passes, samples: Samples, share: float, low: float, high: float, seed: Seed
    ) -> None:
        device = torch.device(passes.device)
        self._x, self._y = samples.x.to(device), samples.y.to(device)
        self._share, self._low, self._high = share, low, high
        self._rng = SampleRandom(torch.from_numpy(seed.keys(samples.index)).to(device))
        self.oracle = Oracle(passes, Access.GRADIENT, rows=len(samples))

    def start(self) -> Tensor:
        """Random values."""
        side = side_of(self._share, *self._x.shape[2:])
        drawn = SampleRandom(self._rng.keys[:1]).uniform(0, self._x.shape[1], side, side, stream=4)
        return self._low + (self._high - self._low) * drawn

    def slope(self, value: Tensor, rows: Tensor, step: int) -> Tensor:
        """Gradient of the mean loss at new places on the samples ``rows`` (indices)."""
        here = rows.to(value.device)
        places = draw_places(self._rng.select(here), 1 + step, self._share, *self._x.shape[2:])
        with torch.enable_grad():
            leaf = value.detach().requires_grad_(True)
            patched = paste(self._x[here], leaf, places)
        grad = self.oracle.gradient(patched.detach(), clipped_cross_entropy, self._y[here], of=rows).grad
        return torch.autograd.grad(patched, leaf, grad / len(rows))[0]

    def move(self, value: Tensor, direction: Tensor, length: float) -> Tensor:
        """A step of equal size in every value, ``length`` times half the range, cut to the bounds."""
        reach = length * (self._high - self._low) / 2
        return (value + reach * direction.sign()).clamp(self._low, self._high)
