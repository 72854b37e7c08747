"""Where the attacker ended on each training row, so that it can go on from there in the next epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.core.errors import UsageError

_LEVELS = 127
"""Steps of a byte on each side of 0."""
_NAME = "kept perturbations"


class Memory:
    """Perturbations of n rows as fractions of eps, a byte for each value; they begin at 0.

    Args:
        rows: n.
        shape: Of one row.

    Source: Zheng et al. 2020, Efficient adversarial training with transferable adversarial examples,
    arXiv:1912.11969, section 4. Deviation: no augmentation has to be undone, and none is forgotten after some epochs.
    """

    def __init__(self, rows: int, shape: tuple[int, ...]) -> None:
        self._kept = torch.zeros(rows, *shape, dtype=torch.int8)

    def recall(self, places: np.ndarray) -> Tensor:
        """(m, *shape) float32 fractions of eps, of the rows at these places."""
        return self._kept[torch.from_numpy(places)].float() / _LEVELS

    def keep(self, places: np.ndarray, ball: Ball, attacked: Tensor) -> None:
        """Note what the attacker found.

        Args:
            places: (m,) of the rows.
            ball: Perturbation sets around them, at the radius of this moment.
            attacked: (m, *shape) inputs that were found.

        Raises:
            UsageError: The attacker gives something else than an input for each row.
        """
        if attacked.shape != ball.x.shape:
            raise UsageError(
                "The attacker of this recipe gives several inputs for a row, which cannot be kept.",
                remedy="leave out --keep-perturbations",
            )
        share = (attacked - ball.x) / (ball.space.scale.to(attacked.device) * ball.space.eps)
        levels = (share * _LEVELS).round().clamp(-_LEVELS, _LEVELS)
        self._kept[torch.from_numpy(places)] = levels.to(torch.int8).cpu()

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``put_back`` needs."""
        return {_NAME: self._kept.numpy().copy()}

    def put_back(self, stored: Mapping[str, np.ndarray]) -> None:
        """Be as when ``arrays`` was called."""
        self._kept = torch.from_numpy(stored[_NAME].copy())
