"""Frequency analysis: triggers leave traces in the cosine transform of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors
from gambeson.models.torch_training import seeded

_KINDS = 5


@detectors.register(
    "frequency",
    DetectorFacts(
        looks_at="cosine transform of pictures",
        source="Zeng et al. 2021, Rethinking the backdoor attacks' triggers: a frequency perspective, "
        "arXiv:2104.03413, section 4.1; deviation: two layers in place of a convolutional network",
        pictures_only=True,
    ),
)
@dataclass(frozen=True, slots=True)
class Frequency:
    """A classifier of spectra, taught on trusted pictures against the same pictures with made-up triggers.

    Attributes:
        steps: Of its training.
    """

    steps: int = 250

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """Logit of "has a trigger".

        Raises:
            Unavailable: The data are no pictures.
        """
        if len(seen.schema.shape) != 3:
            raise Unavailable("Spectra are taken of pictures.", expected="inputs of shape (C, H, W)")
        low, high = seen.schema.bounds()
        scale = float(high.max() - low.min())
        clean = torch.from_numpy(seen.x_trusted - low) / scale
        rows = torch.from_numpy(seen.x - low) / scale
        judge, shift, size = self._taught(clean, seen.seed.child("spectra"))
        with torch.no_grad():
            parts = [judge((_spectra(part) - shift) / size)[:, 0] for part in torch.split(rows, 2048)]
        return np.asarray(torch.cat(parts).double().numpy())

    def _taught(self, clean: Tensor, seed: Seed) -> tuple[nn.Module, Tensor, Tensor]:
        base = _spectra(clean)
        shift, size = base.mean(0), base.std(0) + 1e-3
        with seeded(seed.integer()):
            judge = nn.Sequential(nn.Linear(base.shape[1], 64), nn.ReLU(), nn.Linear(64, 1))
            optimizer = torch.optim.Adam(judge.parameters(), 1e-3, weight_decay=1e-3)
            for _ in range(self.steps):
                part = clean[torch.randint(len(clean), (64,))]
                both = torch.cat([part, made_up(part)])
                truth = torch.cat([torch.zeros(len(part)), torch.ones(len(part))])
                loss = F.binary_cross_entropy_with_logits(judge((_spectra(both) - shift) / size)[:, 0], truth)
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimizer.step()
        return judge.eval(), shift, size


def made_up(x: Tensor) -> Tensor:
    """Pictures (n, C, H, W) in [0, 1], each with a trigger of one of five kinds; draws from torch's generator."""
    n, channels, height, width = x.shape
    out = x.clone()
    kinds = torch.randint(_KINDS, (n,))
    for row in range(n):
        kind = int(kinds[row])
        side = int(torch.randint(2, 5, ()))
        top, left = int(torch.randint(height - side + 1, ())), int(torch.randint(width - side + 1, ()))
        where = (row, slice(None), slice(top, top + side), slice(left, left + side))
        if kind == 0:
            out[where] = torch.rand(channels, 1, 1)
        elif kind == 1:
            out[where] = torch.rand(channels, side, side).round()
        elif kind == 2:
            out[row] = 0.85 * x[row] + 0.15 * torch.rand(channels, height, width)
        elif kind == 3:
            wave = torch.sin(2 * torch.pi * (2 + 8 * torch.rand(())) * torch.arange(width) / width)
            out[row] = x[row] + 0.1 * wave
        else:
            out[row] = x[row] + 0.05 * torch.randn(channels, height, width)
    return out.clamp(0, 1)


def _spectra(x: Tensor) -> Tensor:
    """(n, C*H*W) logarithms of the type-II cosine transform's sizes."""
    n, _, height, width = x.shape
    turned = _cosines(height) @ x @ _cosines(width).T
    return torch.log(turned.abs() + 1e-3).reshape(n, -1)


def _cosines(size: int) -> Tensor:
    """(size, size) orthonormal matrix of the transform."""
    k = torch.arange(size).float()
    table: Tensor = torch.cos(torch.pi * (k[None, :] + 0.5) * k[:, None] / size) * (2 / size) ** 0.5
    table[0] /= 2**0.5
    return table
