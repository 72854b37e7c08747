"""How a training went: losses, looks at the held-out rows, and where it had to go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gambeson.defenses.training.standing import Standing

_CLEAN_FOR_ROBUST = 0.2
"""What a point of clean accuracy counts beside a point of robust accuracy when the best weights are chosen."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the held-out rows.

    Attributes:
        step: Steps made.
        standing: What was seen.
        attack_steps: Steps of the training's own attacker at that time.
    """

    step: int
    standing: Standing
    attack_steps: int

    @property
    def merit(self) -> float:
        """What the best weights have most of; without an attacker in training, clean accuracy alone."""
        if not self.attack_steps:
            return self.standing.clean
        return self.standing.robust + _CLEAN_FOR_ROBUST * self.standing.clean


class History:
    """Grows with the training."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.losses: list[float] = []
        self.returns: list[tuple[int, str]] = []

    def add(self, loss: float) -> None:
        """The loss of one more step."""
        self.losses.append(loss)

    def see(self, look: Look) -> bool:
        """One more look; whether it is the best so far."""
        better = all(look.merit >= other.merit for other in self.looks)
        self.looks.append(look)
        return better

    def went_back(self, step: int, why: str) -> None:
        """Training went back to earlier weights."""
        self.returns.append((step, why))

    @property
    def best(self) -> float:
        """Best robust accuracy seen; 0 before the first look."""
        return max((look.standing.robust for look in self.looks), default=0.0)

    @property
    def looked_at(self) -> int:
        """Step of the last look; -1 before the first."""
        return self.looks[-1].step if self.looks else -1

    @property
    def without_progress(self) -> int:
        """Looks since the first one that none exceeds."""
        merits = [look.merit for look in self.looks]
        return len(merits) - 1 - merits.index(max(merits)) if merits else 0

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``of`` needs."""
        rows = [
            (k.step, k.standing.rows, k.standing.right, k.standing.stand, k.standing.flat, k.attack_steps)
            for k in self.looks
        ]
        return {
            "looks": np.array(rows, np.int64).reshape(-1, 6),
            "losses": np.array(self.losses, np.float64),
            "return steps": np.array([step for step, _ in self.returns], np.int64),
            "return reasons": np.array([why for _, why in self.returns], np.str_),
        }

    @classmethod
    def of(cls, stored: Mapping[str, np.ndarray]) -> History:
        """The history that ``arrays`` described."""
        history = cls()
        history.looks = [Look(row[0], Standing(*row[1:5]), row[5]) for row in stored["looks"].tolist()]
        history.losses = stored["losses"].tolist()
        steps, reasons = stored["return steps"].tolist(), stored["return reasons"].tolist()
        history.returns = list(zip(steps, reasons, strict=True))
        return history
