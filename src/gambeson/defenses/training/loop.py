"""The one loop that runs every recipe: batches, schedules, guards, checkpoints, the best weights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError
from gambeson.core.ports import Clock
from gambeson.data.dataset import Split
from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, Recipe
from gambeson.defenses.training.guard import Guard
from gambeson.defenses.training.history import History, Look
from gambeson.defenses.training.memory import Memory
from gambeson.defenses.training.plan import Plan
from gambeson.defenses.training.schedule import learning_rate, radius
from gambeson.defenses.training.standing import look
from gambeson.defenses.training.state import begin
from gambeson.defenses.training.weight_perturbation import perturbed
from gambeson.models.torch_trainee import Trainee

_ONE_AT_A_TIME = threading.Lock()
"""Starts of the attacker and dropout come from torch's global generator, which two trainings must not share."""
_JUDGE = Adversary(steps=20)
_LOOKS = 40
"""Looks from which on not every epoch ends with one."""
_TIMED = 5
"""Steps that are timed; the first ones set up and are slow."""
_GLANCE = 256
"""Held-out rows on which a collapse is looked for."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is trained on, and what only shows how the training goes.

    Attributes:
        split: Where the rows are.
        train: (n,) row numbers to train on.
        held_out: (m,) row numbers to look at.
    """

    split: Split
    train: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome of a training.

    Attributes:
        network: The best weights on the held-out rows, in evaluation mode.
        history: How it went.
        steps: Steps made.
        complete: Whether it came to its planned end.
    """

    network: Trainee
    history: History
    steps: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A training to be done.

    Attributes:
        recipe: The loss and the attacker.
        plan: How long and how.
        rows: The data.
        space: What the attacker may change.
        run: Seeds, deadline, journal, clock, progress: ``run.report`` gets a count of steps.
        note: Called with a line on how it goes.
    """

    recipe: Recipe
    plan: Plan
    rows: Rows
    space: PerturbationSet
    run: Run
    note: Callable[[str], None] = field(default=lambda line: None)


def train(trainee: Trainee, task: Task) -> Trained:
    """Train a network and give back its best weights.

    Every draw is a function of seed and step, so that a training that was killed and goes on from its journal ends with
    the same weights. The caller's random state is left as it was.

    Args:
        trainee: The network; its weights are changed.
        task: What to do.

    Raises:
        UsageError: The plan does not fit the data.
        ModelError: The loss was no number again after the learning rate was lowered, or robustness collapsed under
            an attacker of many steps.
    """
    task.plan.check(len(task.rows.train))
    devices = [trainee.device] if torch.device(trainee.device).type == "cuda" else []
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=devices):
        return _Training(trainee.in_half(task.plan.half and trainee.gains_from_half), task).to_its_end()


def seconds_per_epoch(trainee: Trainee, task: Task) -> float:
    """How long an epoch will take here, from a few steps and a look on a copy of the network.

    Raises:
        ModelError: The loss was no number.
    """
    clock, run = task.run.clock, Run(task.run.seed.child("timing"), clock=task.run.clock)
    trial = replace(task, run=run, plan=replace(task.plan, epochs=1), note=lambda line: None)
    devices = [trainee.device] if torch.device(trainee.device).type == "cuda" else []
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=devices):
        return _Training(trainee.twin().in_half(task.plan.half and trainee.gains_from_half), trial).time(
            clock
        )


class _Training:
    """A training under way."""

    def __init__(self, trainee: Trainee, task: Task) -> None:
        self.task, self.plan = task, task.plan
        self.each = len(task.rows.train) // task.plan.batch
        self.steps = self.each * task.plan.epochs
        self.between = self.each * max(1, task.plan.epochs // _LOOKS)
        self.state = begin(trainee, task.plan.optimize(trainee.module), mean=task.plan.average > 0)
        self.history, self.guard = History(), Guard(task.recipe)
        self.best = self.good = self.state.copy()
        x, y = task.rows.split.take(task.rows.held_out)
        self.held_out = torch.from_numpy(x).to(trainee.device), torch.from_numpy(y).to(trainee.device)
        self.saved = task.run.clock()
        self.order: np.ndarray | None = None
        self.memory = Memory(len(task.rows.train), x.shape[1:]) if task.plan.keep else None

    def to_its_end(self) -> Trained:
        self._resume()
        while self.state.step < self.steps and not self._out_of_time and not self._no_progress:
            if self._advance():
                self._keep_going()
            else:
                self._go_back("the loss was no number", self.guard.slow_down())
        complete = self.state.step >= self.steps or self._no_progress
        if not complete:
            self._save()
        if self.history.looked_at != self.state.step:
            self._look()
        steps = self.state.step
        self.state.put_back(self.best)
        self.state.mean.module.eval().requires_grad_(False)
        return Trained(self.state.mean.in_half(False), self.history, steps, complete)

    def time(self, clock: Clock) -> float:
        """Seconds of an epoch: the median of a few steps, so many times, and one look."""
        taken = []
        for _ in range(_TIMED):
            begun = clock()
            if not self._advance():
                raise ModelError("The loss was no number at the first steps.", remedy="lower --learning-rate")
            taken.append(clock() - begun)
        begun = clock()
        self._look()
        return sorted(taken)[_TIMED // 2] * self.each + clock() - begun

    @property
    def _out_of_time(self) -> bool:
        deadline = self.task.run.deadline
        return deadline is not None and self.task.run.clock() >= deadline

    @property
    def _no_progress(self) -> bool:
        return 0 < self.plan.patience <= self.history.without_progress

    def _advance(self) -> bool:
        """One step; false where the loss was no number and nothing was changed."""
        state, batch = self.state, self._batch()
        share = state.step / max(1, self.steps - 1)
        for group in state.optimizer.param_groups:
            group["lr"] = self.plan.peak * self.guard.slowdown * learning_rate(share)
        network, recipe = state.trainee, self.guard.recipe
        network.module.eval()
        attacked = recipe.attack(network, batch)
        if self.memory is not None:
            self.memory.keep(self._places(), batch.ball, attacked)
        network.module.train()
        state.optimizer.zero_grad(set_to_none=True)
        loss = self._descend(recipe, batch, attacked)
        if not bool(torch.isfinite(loss)):
            return False
        state.optimizer.step()
        state.step += 1
        state.follow(self.plan.average)
        self.history.add(float(loss))
        return True

    def _descend(self, recipe: Recipe, batch: Batch, attacked: Tensor) -> Tensor:
        """Gradients of the loss, taken where the plan says; the loss itself."""
        network = self.state.trainee
        loss = recipe.loss(network, batch, attacked)
        if not self.plan.perturbation:
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()
        with perturbed(network.module, loss, self.plan.perturbation):
            loss = recipe.loss(network, batch, attacked)
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _batch(self) -> Batch:
        """The rows of this step; seeds torch's generator for all that the step draws."""
        epoch, place = divmod(self.state.step, self.each)
        if place == 0 or self.order is None:
            order = self.task.run.seed.child("order", str(epoch)).generator()
            self.order = order.permutation(len(self.task.rows.train))
        torch.manual_seed(self.task.run.seed.child("step", str(self.state.step)).integer())
        chosen = self.task.rows.train[self._places()]
        x, y = (torch.from_numpy(a).to(self.state.trainee.device) for a in self.task.rows.split.take(chosen))
        eps = self.task.space.eps * radius((self.state.step + 1) / self.steps, self.plan.ramp)
        begin = None if self.memory is None else self.memory.recall(self._places()).to(x.device)
        return Batch(x, y, self.task.space.with_eps(eps).around(x), begin)

    def _places(self) -> np.ndarray:
        """(batch,) which of the training rows belong to this step."""
        assert self.order is not None
        first = self.state.step % self.each * self.plan.batch
        return self.order[first : first + self.plan.batch]

    def _keep_going(self) -> None:
        """After a step: look now and then, keep what is good, save."""
        self.task.run.report(1, 0)
        if self.state.step % self.between == 0:
            self._look()
        if self.task.run.clock() - self.saved >= self.task.run.save_every:
            self._save()

    def _look(self) -> None:
        """Count on the held-out rows; keep the weights if they are the best, go back if they collapsed."""
        torch.manual_seed(self.task.run.seed.child("look").integer())
        if self._collapsed():
            self._go_back("catastrophic overfitting", self.guard.strengthen())
            return
        x, y = self.held_out
        seen = look(self.state.mean, x, y, self.task.space, _JUDGE)
        better = self.history.see(Look(self.state.step, seen, self.guard.steps))
        self.good = self.state.copy()
        if better:
            self.best = self.good
        self.task.note(f"{seen.clean:.1%} clean, {seen.robust:.1%} under PGD")
        self._save()

    def _collapsed(self) -> bool:
        """Whether the weights themselves collapsed: their running mean would show it only later."""
        if not self.plan.guard or self.state.step < self.plan.ramp * self.steps:
            return False
        x, y = (part[:_GLANCE] for part in self.held_out)
        network, recipe = self.state.trainee, self.guard.recipe
        seen = look(network, x, y, self.task.space, _JUDGE)
        attacked = recipe.attack(network, Batch(x, y, self.task.space.around(x)))
        with torch.no_grad():
            own = float((network(attacked.reshape(-1, *x.shape[1:]))[: len(x)].argmax(1) == y).float().mean())
        return self.guard.collapsed(seen, own, self.history.best)

    def _go_back(self, why: str, answered: bool) -> None:
        """To the last weights that were good, if the guard has changed what led astray."""
        if not answered:
            raise ModelError(
                f"Training went wrong at step {self.state.step}, and again after a remedy: {why}.",
                remedy="lower --learning-rate, or look for rows that are no numbers or far out of range",
            )
        self.task.note(f"{why}: back to step {int(self.good['step'])}")
        self.history.went_back(self.state.step, why)
        self.task.run.report(int(self.good["step"]) - self.state.step, 0)
        self.state.put_back(self.good)

    def _save(self) -> None:
        run = self.task.run
        parts = {"state": self.state.copy(), "good": self.good, "best": self.best}
        arrays = {f"{part}/{name}": value for part, kept in parts.items() for name, value in kept.items()}
        kept = {} if self.memory is None else self.memory.arrays()
        run.journal.save(run.key, {**arrays, **self.history.arrays(), **self.guard.arrays(), **kept})
        self.saved = run.clock()

    def _resume(self) -> None:
        """Go on from the journal, if it holds this training."""
        stored = self.task.run.journal.load(self.task.run.key)
        if stored is None:
            return
        self.state.put_back(_part(stored, "state"))
        self.good, self.best = _part(stored, "good"), _part(stored, "best")
        self.history, self.guard = History.of(stored), Guard.of(stored, self.task.recipe)
        if self.memory is not None:
            self.memory.put_back(stored)
        self.task.run.report(self.state.step, 0)


def _part(stored: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    start = f"{part}/"
    return {k.removeprefix(start): v for k, v in stored.items() if k.startswith(start)}


def hold_out(split: Split, rows: int, run: Run) -> Rows:
    """A random tenth of a split, at most ``rows`` of it, is only looked at.

    Args:
        split: The training split.
        rows: Most rows to look at.
        run: Its seed decides which.
    """
    order = run.seed.child("held out").generator().permutation(len(split))
    m = max(1, min(rows, len(split) // 10))
    return Rows(split, np.sort(order[m:]), np.sort(order[:m]))
