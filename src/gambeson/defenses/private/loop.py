"""The loop of private training: rows drawn at random, clipped sums, noise, a step along the noisy mean."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError
from gambeson.data.dataset import Split
from gambeson.defenses.private.accounting import Mechanism
from gambeson.defenses.private.clipping import clipped_sums
from gambeson.defenses.private.draws import Draws
from gambeson.defenses.private.layers import require_private
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.defenses.private.proving import require_exact
from gambeson.defenses.training.state import State, begin
from gambeson.models.torch_trainee import Trainee

_ONE_AT_A_TIME = threading.Lock()
"""Dropout comes from torch's global generator, which two trainings must not share."""

_PROVED = 4
"""Rows on which it is proved, before training, that each is clipped by itself."""


@dataclass(frozen=True, slots=True)
class PrivateTask:
    """A private training to be done.

    Attributes:
        plan: How to train.
        mechanism: What the plan's promise comes to for these records.
        split: The records, all of which are private.
        draws: Where chance comes from.
        run: Deadline, journal, clock, progress, and the seed of what is no secret: ``run.report`` gets a count of
        steps.
    """

    plan: PrivatePlan
    mechanism: Mechanism
    split: Split
    draws: Draws
    run: Run


@dataclass(frozen=True, slots=True)
class PrivatelyTrained:
    """The outcome of a private training.

    Attributes:
        network: The last weights or their running mean, in evaluation mode; never the best ones on any rows.
        steps: Steps made.
        complete: Whether it came to its planned end.
    """

    network: Trainee
    steps: int
    complete: bool


def train_privately(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    """Train a network by DP-SGD.

    Records reach the weights through noisy sums alone: no looks at held-out rows, no choice of the best weights, no
    answer to how the training goes. A gradient that is no number therefore ends it. A step that a crash undid is
    made anew; with secret draws it has new noise, and nothing of the old one was kept.

    Args:
        trainee: A network whose weights know nothing of the records; they are changed.
        task: What to do.

    Returns:
        The network; one that is not complete has spent less than the mechanism says.

    Raises:
        UsageError: The plan does not fit the data, or a layer cannot be trained privately, or rows are mixed.
        ModelError: A gradient is no number.

    Source: Abadi et al. 2016, arXiv:1607.00133, algorithm 1; with Poisson sampling and the expected batch size as
    divisor.
    """
    task.plan.check(len(task.split))
    require_private(trainee.module)
    devices = [trainee.device] if torch.device(trainee.device).type == "cuda" else []
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=devices):
        return _Training(trainee, task).to_its_end()


class _Training:
    """A training under way."""

    def __init__(self, trainee: Trainee, task: PrivateTask) -> None:
        self.task, self.plan, self.records = task, task.plan, len(task.split)
        self.parameters = {n: p for n, p in trainee.module.named_parameters() if p.requires_grad}
        optimizer = torch.optim.SGD(
            self.parameters.values(), self.plan.learning_rate, momentum=self.plan.momentum
        )
        self.state: State = begin(trainee, optimizer, mean=self.plan.average > 0)
        self.saved = task.run.clock()

    def to_its_end(self) -> PrivatelyTrained:
        self._resume()
        require_exact(
            self.state.trainee.module, self._losses, *self._rows(np.arange(min(_PROVED, self.records)))
        )
        while self.state.step < self.task.mechanism.steps and not self._out_of_time:
            self._advance()
            self.task.run.report(1, 0)
            if self.task.run.clock() - self.saved >= self.task.run.save_every:
                self._save()
        complete = self.state.step >= self.task.mechanism.steps
        self._save()
        self.state.mean.module.eval().requires_grad_(False)
        return PrivatelyTrained(self.state.mean, self.state.step, complete)

    @property
    def _out_of_time(self) -> bool:
        deadline = self.task.run.deadline
        return deadline is not None and self.task.run.clock() >= deadline

    def _advance(self) -> None:
        step, state = self.state.step, self.state
        torch.manual_seed(self.task.run.seed.child("step", str(step)).integer())
        state.trainee.module.train()
        sums = self._sums(self.task.draws.chosen(step, self.records, self.task.mechanism.rate))
        for parameter, mean in zip(self.parameters.values(), self._noisy_means(step, sums), strict=True):
            parameter.grad = mean
        state.optimizer.step()
        state.step += 1
        state.follow(self.plan.average)

    def _sums(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Clipped gradients of the rows, summed over pieces that fit memory; zeros where there are no rows."""
        found: dict[str, Tensor] = {}
        for start in range(0, len(rows), self.plan.at_once):
            x, y = self._rows(rows[start : start + self.plan.at_once])
            piece = clipped_sums(self.state.trainee.module, self._losses, x, y, self.plan.clip)
            found = {name: found[name].add_(v) if name in found else v for name, v in piece.sums.items()}
        return found or {name: torch.zeros_like(p) for name, p in self.parameters.items()}

    def _rows(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        x, y = self.task.split.take(rows)
        device = self.state.trainee.device
        return torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)

    def _losses(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.state.trainee(x), y, reduction="none")

    def _noisy_means(self, step: int, sums: Mapping[str, Tensor]) -> list[Tensor]:
        """Sums with noise, over the rows that a step has on average: the true number is private."""
        sizes = [value.numel() for value in sums.values()]
        noise = torch.from_numpy(self.task.draws.normal(step, sum(sizes))).to(self.state.trainee.device)
        scale = self.task.mechanism.noise_multiplier * self.plan.clip
        return [
            value.add_(part.view_as(value), alpha=scale).div_(self.plan.batch)
            for value, part in zip(sums.values(), torch.split(noise, sizes), strict=True)
        ]

    def _save(self) -> None:
        run = self.task.run
        run.journal.save(run.key, self.state.copy())
        self.saved = run.clock()

    def _resume(self) -> None:
        """Go on from the journal, if it holds this training."""
        stored = self.task.run.journal.load(self.task.run.key)
        if stored is None:
            return
        self.state.put_back(stored)
        self.task.run.report(self.state.step, 0)
        if self.state.step > self.task.mechanism.steps:
            raise ModelError("The kept training has made more steps than the promise allows.")
