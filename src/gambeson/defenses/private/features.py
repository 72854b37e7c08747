"""Fixed first layers: their features are computed once, and normalised by means and variances that are private too."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.data.dataset import ArraySplit, Split
from gambeson.defenses.private.draws import Draws
from gambeson.models.torch_trainee import Trainee

_ROWS = 64
"""Rows of one pass."""
_LARGEST = 2.0
"""Largest root of the mean square of a channel, relative to its mean, that clipping leaves alone."""
_LEAST = 1e-6
STATISTICS = -1, -2
"""Steps under whose numbers the noise on means and on squares is drawn."""
_RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)


class Standardise(nn.Module):
    """Subtracts a channel's mean and divides by its standard deviation, both fixed; the identity before ``fit``.

    For features that are not negative, such as ``Scattering`` gives: how large a channel is, is learnt from its mean.

    Args:
        channels: Channels of inputs (n, channels, ...).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        shape = (-1, *[1] * (x.dim() - 2))
        return (x - self.mean.view(shape)) / self.deviation.view(shape)


def divide(module: nn.Module) -> tuple[nn.Module | None, nn.Module]:
    """Fixed layers at the front of a sequence of layers, and the rest; ``None`` where the front is empty.

    The front ends before the first layer that is trained, that is random, or that standardises. Modules are shared
    with the network, so that training the rest trains it.
    """
    if not isinstance(module, nn.Sequential):
        return None, module
    layers = list(module)
    end = next((k for k, layer in enumerate(layers) if not _is_fixed(layer)), len(layers))
    useful = any(not isinstance(layer, nn.Flatten | nn.Identity) for layer in layers[:end])
    return (nn.Sequential(*layers[:end]), nn.Sequential(*layers[end:])) if useful else (None, module)


def _is_fixed(layer: nn.Module) -> bool:
    return not any(
        isinstance(part, (Standardise, *_RANDOM)) or next(part.parameters(recurse=False), None) is not None
        for part in layer.modules()
    )


def features_of(front: nn.Module, trainee: Trainee, split: Split) -> ArraySplit:
    """What the front makes of every row, in memory, with half the digits."""
    found: np.ndarray | None = None
    labels = np.empty(len(split), np.int64)
    with torch.no_grad():
        for start in range(0, len(split), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(split)))
            x, labels[rows] = split.take(rows)
            made = front(torch.from_numpy(x).to(trainee.device)).cpu().numpy()
            if found is None:
                found = np.empty((len(split), *made.shape[1:]), np.float16)
            found[rows] = made
    assert found is not None
    return ArraySplit(found, labels)


def standardiser(module: nn.Module) -> Standardise | None:
    """The layer of a network that standardises, if it has one.

    Raises:
        UsageError: It has several, or one that does not follow the fixed front.
    """
    found = [layer for layer in module.modules() if isinstance(layer, Standardise)]
    if not found:
        return None
    if len(found) > 1 or not isinstance(module, nn.Sequential) or module[0] is not found[0]:
        raise UsageError(
            "A layer standardises what is not fixed.",
            expected="one Standardise, right behind the fixed first layers",
        )
    return found[0]


def fit(layer: Standardise, split: Split, noise_multiplier: float, draws: Draws) -> None:
    """Learn means and standard deviations from two noisy sums over the rows.

    The first is of the means of each row's channels, clipped to norm 1. The second is of their mean squares after a
    division by the mean found, clipped to what such numbers usually are. Each is a Gaussian mechanism.

    Args:
        layer: Changed.
        split: Features, not negative.
        noise_multiplier: Of each sum.
        draws: Where the noise comes from.

    Source: Tramèr & Boneh 2021, arXiv:2011.11660, section 3.1 and appendix B (private data normalisation).
    Deviation: squares
        are taken relative to the means, so that faint channels do not drown.
    """
    channels, n = len(layer.mean), len(split)
    first = _noisy_sum(split, None, 1.0, noise_multiplier, draws.normal(STATISTICS[0], channels)) / n
    mean = np.maximum(first, _LEAST)
    bound = _LARGEST**2 * channels**0.5
    second = _noisy_sum(split, mean, bound, noise_multiplier, draws.normal(STATISTICS[1], channels)) / n
    deviation = mean * np.sqrt(np.clip(second - 1, 0.01, _LARGEST**2))
    layer.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
    layer.deviation.copy_(torch.from_numpy(deviation.astype(np.float32)))


def _noisy_sum(
    split: Split, mean: np.ndarray | None, bound: float, noise_multiplier: float, noise: np.ndarray
) -> np.ndarray:
    """(channels,) sum over rows of clipped means, or of clipped mean squares relative to ``mean``; with noise."""
    total = noise_multiplier * bound * noise.astype(np.float64)
    for start in range(0, len(split), 16 * _ROWS):
        x, _ = split.take(np.arange(start, min(start + 16 * _ROWS, len(split))))
        flat = x.reshape(*x.shape[:2], -1)
        each = flat.mean(2) if mean is None else np.square(flat).mean(2) / mean**2
        lengths = np.linalg.norm(each, axis=1, keepdims=True)
        total += (each * np.minimum(1, bound / np.maximum(lengths, _LEAST))).sum(0)
    return total
