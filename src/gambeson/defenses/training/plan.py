"""How long and how to train: everything about a training that is not its recipe."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from gambeson.core.errors import UsageError

OPTIMIZERS = ("adam", "sgd")
_PEAK = {"adam": 2e-3, "sgd": 0.1}


@dataclass(frozen=True, slots=True)
class Plan:
    """A training.

    Attributes:
        epochs: Passes over the training rows.
        batch: Rows of a step.
        optimizer: ``"adam"`` (Kingma & Ba 2015), or ``"sgd"`` with Nesterov momentum 0.9.
        learning_rate: Peak of the schedule; ``None`` for 0.002 with Adam and 0.1 with SGD.
        weight_decay: Decay of the weights, decoupled for Adam (Loshchilov & Hutter 2019).
        ramp: Share of the training during which eps grows from 0.
        average: Decay of the running mean of the weights, which is what is kept; 0 for none (Izmailov et al. 2018;
            Rebuffi et al. 2021, arXiv:2103.01946, section 4.3 for adversarial training).
        perturbation: Size of adversarial weight perturbation; 0 for none.
        keep: Begin the attack on a row where it ended when the row was met last (Zheng et al. 2020, arXiv:1912.11969):
            two steps then do what ten do from a random start, at a byte of memory for each value of the rows.
        half: Compute in bfloat16 where that is faster; weights stay float32.
        guard: Go back from a collapse of robustness instead of going on; only an experiment would want to do without.
        patience: Looks at the held-out rows without progress after which training ends; 0 for never.
    """

    epochs: int = 10
    batch: int = 128
    optimizer: str = "adam"
    learning_rate: float | None = None
    weight_decay: float = 0.0
    ramp: float = 0.3
    average: float = 0.995
    perturbation: float = 0.0
    keep: bool = False
    half: bool = True
    guard: bool = True
    patience: int = 0

    def check(self, rows: int) -> None:
        """Refuse what cannot be trained.

        Args:
            rows: Training rows.

        Raises:
            UsageError: A value is out of range, or a batch is larger than the data.
        """
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(f"Unknown optimiser {self.optimizer!r}.", expected=", ".join(OPTIMIZERS))
        if self.epochs < 1 or self.batch < 2:
            raise UsageError(
                f"{self.epochs} epochs of batches of {self.batch} were asked for.",
                expected="at least 1 epoch, and at least 2 rows in a batch",
            )
        if self.batch > rows:
            raise UsageError(
                f"A batch of {self.batch} is larger than the {rows} training rows.",
                expected=f"at most {rows}",
                remedy="give a smaller --train-batch, or more data",
            )
        shares = {"ramp": self.ramp, "average": self.average}
        for name, value in shares.items():
            if not 0 <= value < 1:
                raise UsageError(f"{name} is {value}.", expected="at least 0 and less than 1")
        if not (self.peak > 0 and self.weight_decay >= 0 and self.perturbation >= 0):
            raise UsageError(
                f"learning rate {self.peak:g}, weight decay {self.weight_decay:g}, "
                f"perturbation {self.perturbation:g}",
                expected="a positive learning rate, the others at least 0",
            )

    @property
    def peak(self) -> float:
        """Highest learning rate."""
        return _PEAK[self.optimizer] if self.learning_rate is None else self.learning_rate

    def optimize(self, module: nn.Module) -> torch.optim.Optimizer:
        """An optimiser for the weights of a network; the learning rate is set at each step."""
        if self.optimizer == "adam":
            return torch.optim.AdamW(
                module.parameters(), self.peak, weight_decay=self.weight_decay, fused=True
            )
        return torch.optim.SGD(
            module.parameters(),
            self.peak,
            momentum=0.9,
            weight_decay=self.weight_decay,
            nesterov=True,
            fused=True,
        )
