"""Guards a training: what to change when its loss is no number, or when robustness is lost at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gambeson.defenses.training.base import Recipe
from gambeson.defenses.training.standing import Standing

_FALL = 0.2
"""Fall of robust accuracy that no honest training shows."""
_MOST_STEPS = 8
"""Steps of an attacker that no network in training fools for long: if one does, more steps are no answer."""
_SLOWER = 0.3


class Guard:
    """Answers with smaller steps of the optimiser, once, or with more steps of the attacker.

    Args:
        recipe: The recipe that training begins with.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.slowdown = recipe, 1.0

    @property
    def steps(self) -> int:
        """Gradient steps of the attacker; 0 for a recipe without one."""
        return int(getattr(self.recipe, "steps", 0))

    def collapsed(self, seen: Standing, own: float, best: float) -> bool:
        """Whether the network withstands its own attacker alone: catastrophic overfitting.

        It shows in a stronger attacker leaving less than half of what the training's own leaves, and 20 points less, or
        in robustness that is lost at once while accuracy is not. An attacker of many steps is not fooled.

        Args:
            seen: How the network stands at the full radius.
            own: Its accuracy under the training's own attacker.
            best: Its best robust accuracy before.

        Source: Wong, Rice & Kolter 2020, arXiv:2001.03994, section 5.
        """
        if not 0 < self.steps < _MOST_STEPS:
            return False
        alone = seen.robust < own / 2 and seen.robust < own - _FALL
        return alone or (seen.robust < best - _FALL and seen.clean >= best)

    def slow_down(self) -> bool:
        """Lower the learning rate; false when that was done before."""
        if self.slowdown < 1:
            return False
        self.slowdown = _SLOWER
        return True

    def strengthen(self) -> bool:
        """Give the attacker twice as many steps; false when it has enough of them."""
        if self.steps >= _MOST_STEPS:
            return False
        self.recipe = self._with_steps(2 * self.steps)
        return True

    def _with_steps(self, steps: int) -> Recipe:
        """The recipe with another number of steps, each reaching further than one of them must."""
        changes = {"steps": steps, "reach": max(getattr(self.recipe, "reach", 0.0), 2.0)}
        return replace(self.recipe, **changes)  # type: ignore[type-var]

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``of`` needs."""
        return {"guard": np.array([self.slowdown, self.steps], np.float64)}

    @classmethod
    def of(cls, stored: Mapping[str, np.ndarray], recipe: Recipe) -> Guard:
        """The guard that ``arrays`` described."""
        guard = cls(recipe)
        guard.slowdown, steps = stored["guard"].tolist()
        if int(steps) != guard.steps:
            guard.recipe = guard._with_steps(int(steps))
        return guard
