"""Scattering features: what wavelets see of a picture, without anything learnt from data."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.core.errors import UsageError

_WIDTH = 0.8
"""Standard deviation of the finest Gaussian, in pixels."""
_PITCH = 3 * math.pi / 4
"""Centre frequency of the finest wavelet, in radians per pixel."""
_SCALES = 2
"""J: the finest and the next wavelet; the features are four times as coarse as the picture."""


class Scattering(nn.Module):
    """Means of the picture, of what wavelets at 2 scales see, and of what the coarse ones see of the fine ones.

    ``angles`` = 8 gives 1 + 16 + 64 = 81 features at a quarter of each side: 81 x 7 x 7 for pictures of 28 x 28. The
    filters are fixed, so that nothing of it is private. Deviation from Bruna & Mallat: the low-pass is applied as two
    small matrix products, since a Gaussian is separable.

    Args:
        side: Pixels of a side; pictures are square.
        angles: Orientations of the wavelets.

    Raises:
        UsageError: The side is no multiple of 4, or too small.

    Source: Bruna & Mallat 2013, arXiv:1203.1513; filters as in Andreux et al. 2020, arXiv:1812.11214. For private
        training: Tramèr & Boneh 2021, arXiv:2011.11660, section 3.
    """

    wavelets_0: Tensor
    wavelets_1: Tensor

    def __init__(self, side: int, angles: int = 8) -> None:
        super().__init__()
        if side < 8 or side % 4:
            raise UsageError(f"Scattering features of {side} pixels", expected="a multiple of 4, at least 8")
        self.side, self.angles, self.padded = side, angles, side + 8
        for scale in range(_SCALES):
            self.register_buffer(f"wavelets_{scale}", _wavelets(self.padded, scale, angles), persistent=False)
        for scale in range(_SCALES):
            self.register_buffer(f"mean_{scale}", _low_pass(self.padded >> scale, scale), persistent=False)

    @property
    def features(self) -> int:
        """Length of the features of a channel."""
        channels = 1 + _SCALES * self.angles + self.angles**2
        return channels * (self.side // 4) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels * (1 + 2L + L²), side / 4, side / 4) features of (n, channels, side, side)."""
        n, channels = x.shape[:2]
        found = self._of_one(x.reshape(n * channels, self.side, self.side))
        return found.reshape(n, channels * found.shape[1], *found.shape[2:])

    def _of_one(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x[:, None], (4, 4, 4, 4), mode="reflect")
        seen = torch.fft.fft2(x)
        fine = torch.fft.ifft2(seen * self.wavelets_0).abs()
        coarse = torch.fft.ifft2(_fold(seen * self.wavelets_1, 1)).abs()
        again = torch.fft.fft2(fine)[:, :, None] * self.wavelets_1
        both = torch.fft.ifft2(_fold(again, 1)).abs().flatten(1, 2)
        return torch.cat(
            [self._mean(x, 0), self._mean(fine, 0), self._mean(coarse, 1), self._mean(both, 1)], 1
        )

    def _mean(self, x: Tensor, scale: int) -> Tensor:
        matrix: Tensor = getattr(self, f"mean_{scale}")
        return matrix @ x @ matrix.T


def _fold(spectrum: Tensor, scale: int) -> Tensor:
    """Spectrum (..., m, m) of the picture that keeps every 2^scale-th pixel of each side."""
    step, side = 2**scale, spectrum.shape[-1] >> scale
    parts = spectrum.reshape(*spectrum.shape[:-2], step, side, step, side)
    return parts.mean((-4, -2))


def _gabor(side: int, width: float, angle: float, pitch: float, slant: float) -> np.ndarray:
    """(side, side) complex: a wave under a Gaussian, wrapped around the edges.

    Source: Andreux et al. 2020, arXiv:1812.11214, section 2 and the filters of its library.
    """
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    curve = turn @ np.diag([1.0, slant**2]) @ turn.T / (2 * width**2)
    found = np.zeros((side, side), complex)
    for down in range(-2, 3):
        for right in range(-2, 3):
            y, x = np.mgrid[down * side : (down + 1) * side, right * side : (right + 1) * side]
            bell = curve[0, 0] * y * y + (curve[0, 1] + curve[1, 0]) * y * x + curve[1, 1] * x * x
            found += np.exp(-bell + 1j * pitch * (y * math.cos(angle) + x * math.sin(angle)))
    return found * slant / (2 * math.pi * width**2)


def _wavelets(side: int, scale: int, angles: int) -> Tensor:
    """(angles, side, side) Fourier transforms, real, of Morlet wavelets: waves whose mean is taken away."""
    width, pitch, slant = _WIDTH * 2**scale, _PITCH / 2**scale, 4 / angles
    found = []
    for number in range(angles):
        angle = (angles - angles // 2 - 1 - number) * math.pi / angles
        wave, bell = _gabor(side, width, angle, pitch, slant), _gabor(side, width, angle, 0.0, slant)
        found.append(np.fft.fft2(wave - bell * wave.sum() / bell.sum()).real)
    return torch.from_numpy(np.stack(found).astype(np.float32))


def _low_pass(side: int, scale: int) -> Tensor:
    """(side * 2^scale / 4 - 2, side): Gaussian means at every fourth pixel of the picture, without the padding."""
    width, step = _WIDTH * 2 ** (_SCALES - 1) / 2**scale, 4 >> scale
    here = np.arange(side)
    bell = sum(np.exp(-((here + turn * side) ** 2) / (2 * width**2)) for turn in range(-2, 3))
    centres = np.arange(side // step)[1:-1] * step
    rows = np.stack([np.roll(bell, centre) for centre in centres])
    return torch.from_numpy((rows / rows.sum(1, keepdims=True)).astype(np.float32))
