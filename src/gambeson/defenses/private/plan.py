"""How to train privately: the promise, and everything that decides how well it can be kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gambeson.core.errors import UsageError
from gambeson.defenses.private.accounting import Mechanism, noise_for, usual_delta


@dataclass(frozen=True, slots=True)
class PrivatePlan:
    """A private training.

    Nothing here may be chosen by trying it on the private records: each trial would spend as much again.

    Attributes:
        epsilon: The promise.
        delta: The promise; ``None`` for a power of ten below one over the records.
        epochs: Expected passes over the records.
        batch: Expected rows of a step.
        clip: Largest norm that the gradient of a row keeps.
        learning_rate: Of steps along the noisy mean gradient, the same throughout.
        momentum: Of these steps.
        average: Decay of the running mean of the weights, which is what is kept; 0 for none. It costs no privacy
            (De et al. 2022, arXiv:2204.13650, section 3.3).
        at_once: Most rows that are computed at once; memory grows with it, the outcome does not change.
    """

    epsilon: float = 3.0
    delta: float | None = None
    epochs: int = 40
    batch: int = 512
    clip: float = 0.1
    learning_rate: float = 0.5
    momentum: float = 0.9
    average: float = 0.99
    at_once: int = 1_024

    def check(self, records: int) -> None:
        """Refuse what cannot be trained.

        Raises:
            UsageError: A value is out of range, or a batch is larger than the data.
        """
        if self.epochs < 1 or self.batch < 1 or self.at_once < 1:
            raise UsageError(
                f"{self.epochs} epochs of {self.batch} rows, {self.at_once} at once",
                expected="each at least 1",
            )
        if self.batch > records:
            raise UsageError(
                f"A batch of {self.batch} is larger than the {records} training rows.",
                expected=f"at most {records}",
                remedy="give a smaller --train-batch, or more data",
            )
        if not (0 < self.clip < math.inf and 0 < self.learning_rate < math.inf):
            raise UsageError(
                f"clip {self.clip:g}, learning rate {self.learning_rate:g}", expected="positive numbers"
            )
        for name, value in (("momentum", self.momentum), ("average", self.average)):
            if not 0 <= value < 1:
                raise UsageError(f"{name} is {value:g}.", expected="at least 0 and less than 1")

    def steps(self, records: int) -> int:
        """Steps whose expected rows make so many epochs."""
        return max(1, round(self.epochs * records / self.batch))

    def delta_for(self, records: int) -> float:
        """The delta that was asked for, or the usual one."""
        return usual_delta(records) if self.delta is None else self.delta

    def mechanism(self, records: int, releases: tuple[float, ...] = ()) -> Mechanism:
        """What is done to the records, with the least noise that keeps the promise.

        Raises:
            UsageError: A value is out of range, or no noise keeps the promise.
            Unavailable: The package ``dp-accounting`` is missing.
        """
        self.check(records)
        planned = Mechanism(1.0, self.batch / records, self.steps(records), releases)
        return noise_for(self.epsilon, self.delta_for(records), planned)
