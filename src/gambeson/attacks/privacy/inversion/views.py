"""Random views of an input: a reconstruction that holds under all of them shows the class, not a quirk of the model."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.randomness import SampleRandom

_ANGLE = 0.2
"""Largest rotation, in radians."""
_SCALE = 0.1
_SHIFT = 0.08
"""Of the side."""
_DROPPED = 0.3
"""Largest share of a table's features that a view leaves out."""


def look(u: Tensor, space: Space, random: SampleRandom, step: int, typical: Tensor) -> Tensor:
    """One random view of each input, differentiable.

    Pictures are rotated, scaled and shifted a little; of a table's row some features are set to a typical value.

    Args:
        u: (m, *shape) in [0, 1].
        space: Of the inputs.
        random: One generator for each input.
        step: Which draw.
        typical: (*shape) values in [0, 1] that stand for a feature that is left out.

    Source: Athalye et al. 2018, arXiv:1707.07397, section 2 (expectation over transformation).
    """
    if space.is_image:
        return F.grid_sample(u, _grids(u, random, step), padding_mode="border", align_corners=False)
    share = _DROPPED * random.uniform(step, 1, stream=8)
    kept = random.uniform(step, u[0].numel(), stream=9) >= share
    return torch.where(kept.reshape(u.shape), u, typical)


def _grids(u: Tensor, random: SampleRandom, step: int) -> Tensor:
    drawn = 2 * random.uniform(step, 4, stream=8) - 1
    angle, scale = _ANGLE * drawn[:, 0], 1 + _SCALE * drawn[:, 1]
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    shift = 2 * _SHIFT * drawn[:, 2:]
    rows = torch.stack([cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1]], 1)
    return F.affine_grid(rows.reshape(-1, 2, 3), list(u.shape), align_corners=False)
