"""The one loop that runs every evasion attack: active set, budgets, checkpoints, verification."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.base import EvasionAttack, EvasionFacts, GivesUp, PlansQueries, Problem
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.judge import Judge, NearestJudge, verify
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import BudgetExhausted
from gambeson.core.ports import Clock, Journal, NoJournal
from gambeson.core.reproduce import Seed
from gambeson.models.oracle import Oracle
from gambeson.models.passes import LANE, Passes

_BYTES_IN_FLIGHT = 64 << 20
_MOST_IN_FLIGHT = 2_048


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples to attack.

    Attributes:
        x: (n, *shape) float32 in input units.
        y: (n,) int64 true labels.
        index: (n,) int64 row numbers in their split: the names under which their randomness is drawn.
    """

    x: Tensor
    y: Tensor
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def select(self, rows: Tensor) -> Samples:
        """The samples ``rows`` (indices)."""
        return Samples(self.x[rows], self.y[rows], self.index[rows.numpy()])


@dataclass(frozen=True, slots=True)
class Run:
    """How to run an attack; nothing here changes what it finds, except a deadline that cuts it short.

    Attributes:
        seed: Node of the seed tree for this attack.
        deadline: Value of ``clock`` at which to stop, or ``None``.
        journal: Where finished batches and attacks under way are kept.
        key: Prefix of this attack's keys in the journal.
        save_every: Seconds between checkpoints of an attack under way.
        donors: (k, *shape) other inputs that the attacker holds; label-only attacks start from them.
        report: Called with ``(work, samples newly fallen)``: work is sample-steps done or made needless. Samples are
            counted before verification; an ensemble takes back, as a negative number, what a stage's refuted.
    """

    seed: Seed
    deadline: float | None = None
    journal: Journal = field(default_factory=NoJournal)
    key: str = "attack"
    save_every: float = 5.0
    clock: Clock = time.monotonic
    donors: Tensor | None = None
    report: Callable[[int, int], None] = lambda passes, fallen: None


@dataclass(frozen=True, slots=True)
class AttackOutcome:
    """What an attack found, per sample, on the CPU.

    Attributes:
        fallen: (n,) bool: misclassified inside the ball, verified on a fresh float32 pass.
        adversarial: (n, *shape) the inputs found; the sample itself where it stands.
        queries: (n,) int64 queries spent until it fell or the attack ended.
        margin: (n,) largest margin by which another class led on a valid query.
        distance: (n,) float64 norm of the perturbation found, in units of the set's scale; infinite where none.
        refuted: Claims that did not hold on verification.
        strays: Queries that left the ball; they never count as success.
        overspent: Whether the attack asked for more than its budget or than it declared per step.
        unfinished: Samples on which the deadline stopped the attack.
    """

    fallen: np.ndarray
    adversarial: np.ndarray
    queries: np.ndarray
    margin: np.ndarray
    distance: np.ndarray
    refuted: int
    strays: int
    overspent: bool
    unfinished: int


def run_attack(
    attack: EvasionAttack[Any],
    facts: EvasionFacts,
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    *,
    budget: int | None = None,
    run: Run,
) -> AttackOutcome:
    """Attack every sample.

    Within a radius a sample is done when it falls. Where the radius is infinite, the nearest adversarial input
    is kept and the attack goes on to its end.

    Args:
        attack: The attack.
        facts: What it declared: its oracle grants no more than ``facts.access``.
        passes: The model; finds are verified in float32 whatever the search computes in.
        samples: What to attack, correctly classified or not.
        space: The perturbation set.
        budget: Most queries per sample, or ``None``.
        run: Seeds, deadline, journal.

    Raises:
        AccessDenied: The attack asked for more access than it declared.
        ModelError: The model answered with something unusable.
    """
    size = _in_flight(samples.x)
    parts = []
    for start in range(0, max(len(samples), 1), size):
        rows = torch.arange(start, min(start + size, len(samples)))
        batch = _Batch(attack, facts, passes, samples.select(rows), space, budget, run)
        parts.append(batch.finish())
    return AttackOutcome(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in _PER_SAMPLE},
        refuted=sum(p.refuted for p in parts),
        strays=sum(p.strays for p in parts),
        overspent=any(p.overspent for p in parts),
        unfinished=sum(p.unfinished for p in parts),
    )


_PER_SAMPLE = ("fallen", "adversarial", "queries", "margin", "distance")


def _in_flight(x: Tensor) -> int:
    """Samples attacked together: as many as fit the memory set aside for one state tensor."""
    fit = _BYTES_IN_FLIGHT // (4 * math.prod(x.shape[1:]))
    return max(LANE, min(fit, _MOST_IN_FLIGHT) // LANE * LANE)


def _own_budget(attack: EvasionAttack[Any], facts: EvasionFacts, budget: int | None) -> int | None:
    """The budget, and no more than what an attack that plans by its queries wants for itself."""
    if not isinstance(attack, PlansQueries) or facts.queries_per_step is not None:
        return budget
    return attack.queries if budget is None else min(attack.queries, budget)


class _Batch:
    """One attack on the samples in flight together."""

    def __init__(
        self,
        attack: EvasionAttack[Any],
        facts: EvasionFacts,
        passes: Passes,
        samples: Samples,
        space: PerturbationSet,
        budget: int | None,
        run: Run,
    ) -> None:
        budget = _own_budget(attack, facts, budget)
        self.attack, self.facts, self.passes, self.run, self.budget = attack, facts, passes, run, budget
        self.samples = samples
        self.gives_up = attack if isinstance(attack, GivesUp) else None
        device = torch.device(passes.device)
        x, y = samples.x.to(device), samples.y.to(device)
        self.ball = space.to(device).around(x)
        self.y = y
        self.judge = (Judge if space.bounded else NearestJudge)(y, self.ball)
        self.oracle = Oracle(passes, facts.access, rows=len(y), budget=budget, observe=self.judge.observe)
        keys = torch.from_numpy(run.seed.keys(samples.index)).to(device)
        donors = x[:0] if run.donors is None else run.donors.to(device)
        self.problem = Problem(y, self.ball, SampleRandom(keys), self._steps(), donors)
        self.queries = torch.zeros(len(y), dtype=torch.int64)
        self.rows = torch.arange(len(y))
        self.unfinished = 0
        first, last = (samples.index[0], samples.index[-1]) if len(samples) else (0, 0)
        self.key = f"{run.key}/{first}-{last}-{len(samples)}"

    def _steps(self) -> int:
        """Steps that fit the budget."""
        if self.budget is None or self.facts.queries_per_step is None:
            return self.attack.length
        left = self.budget - self.facts.queries_to_init
        return min(self.attack.length, max(left, 0) // self.facts.queries_per_step)

    def finish(self) -> AttackOutcome:
        """Run to the end, or take the end from the journal."""
        done = self.run.journal.load(f"{self.key}/done")
        if done is not None:
            return _from_arrays(done)
        with torch.no_grad():
            if len(self.samples) and self._affordable():
                self._loop()
            outcome = self._outcome()
        if not outcome.unfinished:
            self.run.journal.save(f"{self.key}/done", _to_arrays(outcome))
        return outcome

    def _affordable(self) -> bool:
        return self.budget is None or self.budget >= self.facts.queries_to_init

    def _loop(self) -> None:
        try:
            state, start = self._resume(self.attack.init(self.oracle, self.problem))
            state = self._compact(state, start)
            saved = self.run.clock()
            for t in range(start, self.problem.steps):
                if not len(self.problem.y):
                    return
                now = self.run.clock()
                if self.run.deadline is not None and now >= self.run.deadline:
                    self.unfinished = len(self.problem.y)
                    self._checkpoint(state, t)
                    break
                if now - saved > self.run.save_every:
                    self._checkpoint(state, t)
                    saved = now
                self.run.report(len(self.problem.y), 0)
                state = self._compact(self._one_step(state, t), t + 1)
        except BudgetExhausted:
            pass
        self._charge()

    def _one_step(self, state: Any, t: int) -> Any:
        before = self.oracle.queries.clone()
        state = self.attack.step(self.oracle, self.problem, state, t)
        most = self.facts.queries_per_step
        if most is not None and bool((self.oracle.queries - before > most).any()):
            self.oracle.overspent = True
        return state

    def _compact(self, state: Any, t: int) -> Any:
        """Drop the samples that have fallen or spent their budget before step ``t`` from every tensor."""
        keep = self.judge.standing()
        if self.budget is not None:
            keep = keep[(self.oracle.left > 0).to(keep.device)[keep]]
        if self.gives_up is not None:
            keep = keep[~self.gives_up.idle(state)[keep]]
        dropped = len(self.problem.y) - len(keep)
        if not dropped:
            return state
        fallen = len(self.problem.y) - len(self.judge.standing())
        self.run.report(dropped * (self.problem.steps - t), fallen)
        self._charge()
        local = keep.cpu()
        self.rows = self.rows[local]
        self.oracle.select(local)
        self.judge.select(keep)
        self.problem = self.problem.select(keep)
        return state.select(keep)

    def _charge(self) -> None:
        self.queries[self.rows] = self.oracle.queries

    def _outcome(self) -> AttackOutcome:
        hit = self.judge.fallen.nonzero().squeeze(1)
        held = verify(self.passes.exact, self.judge.adversarial[hit], self.y[hit], self.ball.select(hit))
        fallen = torch.zeros_like(self.judge.fallen)
        fallen[hit] = held
        found = torch.where(
            fallen.reshape(-1, *[1] * (self.ball.x.dim() - 1)), self.judge.adversarial, self.ball.x
        )
        return AttackOutcome(
            fallen=fallen.cpu().numpy(),
            adversarial=found.cpu().numpy(),
            queries=self.queries.numpy(),
            margin=self.judge.margin.cpu().numpy(),
            distance=torch.where(fallen, self.judge.distance, torch.inf).cpu().numpy(),
            refuted=int((~held).sum()),
            strays=self.judge.strays,
            overspent=self.oracle.overspent,
            unfinished=self.unfinished,
        )

    def _checkpoint(self, state: Any, t: int) -> None:
        """Keep everything that the rest of the attack depends on."""
        self._charge()
        arrays = {f"state.{name}": value.cpu().numpy() for name, value in state.tensors().items()}
        arrays |= {
            "t": np.array(t),
            "rows": self.rows.numpy(),
            "queries": self.queries.numpy(),
            "fallen": self.judge.fallen.cpu().numpy(),
            "adversarial": self.judge.adversarial.cpu().numpy(),
            "margin": self.judge.margin.cpu().numpy(),
            "distance": self.judge.distance.cpu().numpy(),
            "counts": np.array([self.judge.strays, int(self.oracle.overspent)]),
        }
        self.run.journal.save(f"{self.key}/state", arrays)

    def _resume(self, fresh: Any) -> tuple[Any, int]:
        """State and next step from the journal, or the fresh state and step 0."""
        kept = self.run.journal.load(f"{self.key}/state")
        if kept is None:
            return fresh, 0
        device = self.y.device
        rows = torch.from_numpy(kept["rows"])
        self.rows, keep = rows, rows.to(device)
        self.queries = torch.from_numpy(kept["queries"].copy())
        self.oracle.select(rows)
        self.oracle.queries = self.queries[rows].clone()
        self.problem = self.problem.select(keep)
        self.judge.fallen = torch.from_numpy(kept["fallen"]).to(device)
        self.judge.adversarial = torch.from_numpy(kept["adversarial"]).to(device)
        self.judge.margin = torch.from_numpy(kept["margin"]).to(device)
        self.judge.distance = torch.from_numpy(kept["distance"]).to(device)
        self.judge.select(keep)
        self.judge.strays, overspent = (int(v) for v in kept["counts"])
        self.oracle.overspent = bool(overspent)
        tensors = {name: torch.from_numpy(kept[f"state.{name}"]).to(device) for name in fresh.tensors()}
        return dataclasses.replace(fresh, **tensors), int(kept["t"])


def _to_arrays(outcome: AttackOutcome) -> Mapping[str, np.ndarray]:
    return {name: np.asarray(getattr(outcome, name)) for name in outcome.__dataclass_fields__}


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> AttackOutcome:
    return AttackOutcome(
        **{name: arrays[name] for name in _PER_SAMPLE},
        refuted=int(arrays["refuted"]),
        strays=int(arrays["strays"]),
        overspent=bool(arrays["overspent"]),
        unfinished=int(arrays["unfinished"]),
    )
