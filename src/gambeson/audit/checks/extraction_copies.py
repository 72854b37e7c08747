"""Copies of the audited model: trained on its answers, compared with it, and used to attack it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gambeson.attacks.extraction.base import Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import choose_student, learn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.judge import verify
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.robustness import choose_samples
from gambeson.attacks.transfer import craft_on
from gambeson.attacks.universal import random_signs
from gambeson.audit.base import CheckContext, checks
from gambeson.audit.checks.attacker_inputs import own_inputs
from gambeson.core.errors import BudgetExhausted, InsufficientEvidence
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.models.model import Differentiable, Model
from gambeson.models.passes import Passes

_BUDGETS = (500, 2_000, 8_000)
"""Answers that the copy is trained on; how many of the budgets are tried grows with the profile."""
_UPDATES_PER_STEP = 20
_CHOICE = 2
"""Inputs that the attacker holds for each that he may ask about at most."""
_ATTACKED, _MOST_STEPS = 200, 20
"""Inputs on which adversarial examples are made with the last copy, and gradient steps for each."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One copy: answers it was trained on, and on each audited input whether it agrees and whether it is right.

    Attributes:
        fooled: (2, m) bool where adversarial examples were made on it: of the audited inputs that the model gets right,
            those that fool the model, and those that random signs turn into such; else (2, 0).
    """

    queries: int
    agrees: np.ndarray
    right: np.ndarray
    fooled: np.ndarray
    student: str

    @property
    def fidelity(self) -> Measurement:
        """Share of audited inputs to which it gives the model's answer."""
        name = f"fidelity_at_{self.queries}_queries"
        return proportion(name, int(self.agrees.sum()), len(self.agrees), better="lower")

    @property
    def accuracy(self) -> Measurement:
        """Share of audited inputs to which it gives the true answer."""
        name = f"accuracy_of_copy_at_{self.queries}_queries"
        return proportion(name, int(self.right.sum()), len(self.right), better="lower")

    @property
    def transfer(self) -> tuple[Measurement, ...]:
        """Share of examples made on the copy that fool the model, and the same at random."""
        attacked, random = self.fooled
        if not len(attacked):
            return ()
        return (
            proportion("transfer_success_rate", int(attacked.sum()), len(attacked), better="lower"),
            proportion("random_success_rate", int(random.sum()), len(random)),
        )


class Thief:
    """Trains copies on what an attacker holds and compares them with the model on the audited samples."""

    def __init__(self, context: CheckContext) -> None:
        self.context, self.passes = context, Passes(context.model, context.rows_per_pass)
        seed = Seed(context.seed.value).child("samples")
        self.samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
        self.said = classes_of(self.passes, self.samples.x)
        self.access = checks[context.check].facts.access
        wanted = _BUDGETS[: 1 + sum(context.effort.steps > least for least in (20, 50))]
        x, y, self.source = own_inputs(context, self.samples.index, _CHOICE * wanted[-1])
        self.budgets = sorted({min(budget, len(x)) for budget in wanted})
        self.theft = Theft(
            x=x,
            y=y,
            schema=context.data.schema,
            classes=context.model.info.classes,
            student="network",
            updates=context.effort.steps * _UPDATES_PER_STEP,
            seed=context.seed,
        )
        self.purse = Purse(
            self.passes,
            self.access,
            budget=len(x),
            journal=context.journal,
            key=f"{context.check}/answers",
            stop=lambda: context.time_is_up,
        )

    def trials(self) -> Iterator[Trial]:
        """A copy for each budget until time runs out."""
        self.context.progress.start(self.context.check, len(self.budgets) + 1)
        for queries in self.budgets:
            if self.context.time_is_up:
                return
            try:
                yield self._kept(str(queries), queries, partial(self._copy, queries))
            except BudgetExhausted:
                return

    def with_true_labels(self) -> Trial | None:
        """The baseline: the same student trained on the true labels of as many inputs, which costs no query."""
        if self.context.time_is_up:
            return None
        queries = self.budgets[-1]
        return self._kept("true labels", queries, partial(self._without_queries, queries))

    def _copy(self, queries: int) -> tuple[Model, str]:
        purse, theft = (
            self.purse.anew(queries),
            replace(self.theft, seed=self.context.seed.child(str(queries))),
        )
        try:
            if theft.schema.features:
                x = theft.x[:queries]
                theft = replace(theft, student=choose_student(theft, x, purse.ask(x)))
            return extraction[self.plan(queries)].plugin().extract(purse.anew(queries), theft), theft.student
        finally:
            purse.flush()

    def plan(self, queries: int) -> str:
        """The strategy: where there are more inputs than queries, pictures are chosen (docs/benchmarks.md)."""
        choice = self.theft.schema.is_image and len(self.theft.x) > queries
        return "active" if choice else "knockoff"

    def _without_queries(self, rows: int) -> tuple[Model, str]:
        theft = replace(self.theft, seed=self.context.seed.child("true labels"))
        x, answers = theft.x[:rows], one_hot(theft.y[:rows], theft.classes).float()
        theft = replace(theft, student=choose_student(theft, x, answers))
        return learn(theft, x, answers), theft.student

    def _kept(self, name: str, queries: int, make: Callable[[], tuple[Model, str]]) -> Trial:
        """A trial from the journal, or made now and kept there."""
        key = f"{self.context.check}/{name}"
        stored = self.context.journal.load(key)
        if stored is None:
            copy, student = make()
            said = classes_of(Passes(copy, self.context.rows_per_pass), self.samples.x)
            last = name == str(self.budgets[-1])
            stored = {
                "agrees": (said == self.said).numpy(),
                "right": (said == self.samples.y).numpy(),
                "fooled": self._transfer(copy) if last else np.zeros((2, 0), bool),
                "student": np.array(student),
            }
            self.context.journal.save(key, stored)
        self.context.progress.advance(self.context.check, 1, f"{queries} queries")
        return Trial(queries, stored["agrees"], stored["right"], stored["fooled"], str(stored["student"]))

    def _transfer(self, copy: Model) -> np.ndarray:
        """(2, m) as in a trial: do examples made on the copy within the audited perturbation set fool the model?"""
        right = torch.nonzero(self.said == self.samples.y)[:, 0][:_ATTACKED]
        nothing = np.zeros((2, 0), bool)
        if not isinstance(copy, Differentiable) or not len(right):
            return nothing
        context, samples = self.context, self.samples.select(right)
        space = PerturbationSet.of(context.threat, context.data.schema)
        run = Run(context.seed.child("transfer"), context.deadline, clock=context.clock)
        try:
            delta = craft_on(Passes(copy), samples, space, min(context.effort.steps, _MOST_STEPS), run)
        except InsufficientEvidence:
            return nothing
        device = self.passes.device
        ball, y, delta = space.around(samples.x.to(device)), samples.y.to(device), delta.to(device)
        keys = torch.from_numpy(context.seed.child("noise").keys(samples.index))
        random = random_signs(ball, delta, SampleRandom(keys.to(device)))
        found = [verify(self.passes, x, y, ball).cpu().numpy() for x in (ball.apply(delta), random)]
        return np.stack(found)


def classes_of(passes: Passes, x: Tensor) -> Tensor:
    """(n,) int64 on the CPU: the class that a model gives each input, for comparing it with its copies."""
    return passes.scores(x.to(passes.device)).argmax(1).cpu()
