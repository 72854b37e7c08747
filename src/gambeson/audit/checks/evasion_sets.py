"""What the checks of patches, poses, corruptions, universal and transferred perturbations have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.judge import verify
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.robustness import choose_samples, clean_predictions
from gambeson.audit.base import CheckContext, checks
from gambeson.audit.checks.evasion_evidence import one_of_each_class, show_examples
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import AdversarialExample, Curve, Evidence, Finding, Outcome, Severity, Table
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, ThreatModel
from gambeson.models.passes import Passes

FEWEST = 10
"""Samples, and samples that the model gets right, below which no figure would mean anything."""
_KEPT_WELL, _KEPT_HALF, _KEPT_NOTHING = 0.8, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class Asked:
    """Samples and what the model says of them when nobody attacks.

    Attributes:
        passes: The model.
        samples: On the CPU.
        right: (n,) bool, classified correctly.
    """

    passes: Passes
    samples: Samples
    right: np.ndarray

    @property
    def x(self) -> Tensor:
        """The samples where the model wants them."""
        return self.samples.x.to(self.passes.device)

    @property
    def y(self) -> Tensor:
        """Their labels, there too."""
        return self.samples.y.to(self.passes.device)

    def select(self, rows: np.ndarray) -> Asked:
        """The same for the samples ``rows`` (indices)."""
        return Asked(self.passes, self.samples.select(torch.from_numpy(rows)), self.right[rows])

    def wrong(self, x: Tensor, valid: Tensor) -> np.ndarray:
        """Whether each changed input is allowed and misclassified on a fresh float32 pass: (n,) bool."""
        fooled: np.ndarray = (valid & (self.passes.scores(x).argmax(1) != self.y)).cpu().numpy()
        return fooled

    def wrong_inside(self, x: Tensor, ball: Ball) -> np.ndarray:
        """The same where what is allowed is a ball around each sample."""
        return verify(self.passes, x, self.y, ball).cpu().numpy()


def ask_clean(context: CheckContext) -> Asked:
    """The samples that every evasion check draws, and the answers to them as they are.

    Raises:
        InsufficientEvidence: There are fewer than ten, or the model gets fewer than ten right.
        ModelError: The model answered with something unusable.
    """
    passes = Passes(context.model, context.rows_per_pass)
    seed = Seed(context.seed.value).child("samples")
    samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
    right = clean_predictions(passes, samples) == samples.y.numpy()
    _require_enough(len(samples), int(right.sum()))
    return Asked(passes, samples, right)


def _require_enough(samples: int, right: int) -> None:
    if min(samples, right) < FEWEST:
        raise InsufficientEvidence(
            f"There are {samples} samples to look at, of which the model gets {right} right.",
            expected=f"at least {FEWEST} of each",
            remedy="give more samples, with --samples or more data",
        )


def halves(asked: Asked, seed: Seed) -> tuple[Asked, Asked]:
    """Two random halves: one to fit an attack on, the other to measure it on.

    Raises:
        InsufficientEvidence: The second half is too small.
    """
    order = seed.generator().permutation(len(asked.samples))
    fit, held = (asked.select(np.sort(part)) for part in np.array_split(order, 2))
    _require_enough(len(held.samples), int(held.right.sum()))
    return fit, held


def require_pictures(context: CheckContext, what: str) -> tuple[int, int, int]:
    """(channels, height, width) of the data.

    Raises:
        Unavailable: The data are no pictures.
    """
    schema = context.data.schema
    if not schema.is_image or schema.features:
        raise Unavailable(
            f"{what} on pictures only; {context.data.name} has inputs of shape {schema.shape}.",
            expected="(channels, height, width) with 1 or 3 channels",
        )
    channels, height, width = schema.shape
    return channels, height, width


def target_of(threat: ThreatModel) -> str:
    """A norm ball in words, as other evasion checks name it."""
    return threat.reach


def noise_of(context: CheckContext, asked: Asked) -> SampleRandom:
    """One generator per sample for a check's random baseline."""
    keys = torch.from_numpy(context.seed.child("noise").keys(asked.samples.index))
    return SampleRandom(keys.to(asked.passes.device))


def run_of(context: CheckContext, part: str, note: str) -> Run:
    """Seeds, deadline, journal and progress of one part of a check."""
    return Run(
        seed=context.seed.child(part),
        deadline=context.deadline,
        journal=context.journal,
        key=f"{context.check}@{context.threat}/{part}",
        clock=context.clock,
        report=reporting(context, note),
    )


def reporting(context: CheckContext, note: str) -> Callable[[int, int], None]:
    """Turns work done into progress with a count of what is broken, if anything can break meanwhile."""
    broken = 0

    def report(work: int, fallen: int) -> None:
        nonlocal broken
        broken += fallen
        context.progress.advance(context.check, work, f"{broken} broken" if broken else note)

    return report


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check of changed inputs found.

    Attributes:
        asked: The samples that are reported on.
        fooled: (n,) bool, misclassified when changed; verified.
        noise: (n,) bool, misclassified under the random baseline.
        target: What the finding is about; part of its identity.
        change: What was done, to follow "under" and to begin a clause.
        baseline: What was done at random, likewise.
        method: What was run, with its parameters.
        remedy: What to do where it fails.
        facts: Further facts.
        curves, tables: Exhibits.
        examples: To look at.
        cut: What was left out for lack of time.
    """

    asked: Asked
    fooled: np.ndarray
    noise: np.ndarray
    target: str
    change: str
    baseline: str
    method: str
    remedy: str
    facts: tuple[tuple[str, str], ...] = ()
    curves: tuple[Curve, ...] = ()
    tables: tuple[Table, ...] = ()
    examples: tuple[AdversarialExample, ...] = ()
    cut: tuple[str, ...] = ()


def conclude(context: CheckContext, found: Answer, *, ceiling: Severity = Severity.CRITICAL) -> Finding:
    """The finding: figures with their baseline, and a verdict from the share of clean accuracy that is left.

    Where the random baseline leaves less than the attack, it decides: whoever may attack may also send noise.

    Args:
        context: Of the running check.
        found: What it found.
        ceiling: The worst severity that this kind of change can have.
    """
    info, figures = checks[context.check].facts, _figures(found)
    robust, clean, noise = figures[:3]
    at_random = noise.value < robust.value
    left, what = (noise.value, found.baseline) if at_random else (robust.value, found.change)
    kept = left / max(clean.value, 1e-9)
    outcome, severity = judge(kept, info.access, finished=not found.cut)
    return Finding(
        check=context.check,
        title=f"Accuracy falls from {clean.value:.1%} to {left:.1%} under {what}",
        family=info.family,
        access=info.access,
        outcome=outcome,
        severity=min(severity, ceiling, key=lambda s: s.rank),
        summary=(
            f"Of {clean.n} inputs the model gets {clean.value:.1%} right; {found.change} leaves {robust.value:.1%}, "
            f"{found.baseline} leaves {noise.value:.1%}.{_WORSE_AT_RANDOM if at_random else ''}"
        ),
        reason="time ran out before the attack could answer" if outcome is Outcome.NOT_ASSESSED else "",
        remedy=found.remedy if outcome is Outcome.FAILED else "",
        target=found.target,
        measurements=figures,
        evidence=Evidence(
            command=context.command,
            samples=clean.n,
            method=f"{found.method}, seed {context.seed.value}",
            facts=(
                *found.facts,
                ("successes re-verified in float32", str(int((found.asked.right & found.fooled).sum()))),
            ),
            curves=found.curves,
            tables=found.tables,
            examples=found.examples,
        ),
        taxonomy=info.taxonomy,
        cut=found.cut,
    )


_WORSE_AT_RANDOM = " What is random does more harm than the attack here, and decides."


def _figures(found: Answer) -> tuple[Measurement, ...]:
    right, n = found.asked.right, len(found.asked.right)
    attacked = int(right.sum())
    return (
        proportion("robust_accuracy", int((right & ~found.fooled).sum()), n, better="higher"),
        proportion("clean_accuracy", attacked, n, better="higher"),
        proportion("random_accuracy", int((right & ~found.noise).sum()), n, better="higher"),
        proportion("attack_success_rate", int((right & found.fooled).sum()), attacked, better="lower"),
        proportion("random_success_rate", int((right & found.noise).sum()), attacked, better="lower"),
    )


def judge(kept: float, access: Access, *, finished: bool) -> tuple[Outcome, Severity]:
    """Outcome and severity from the share of clean accuracy that is left.

    Fails below 80% (medium) and 50% (high); below 10% critically, for an attacker who needs no more than answers.
    What has fallen stays fallen, so a failure stands even when time ran out; a pass does not.
    """
    if kept >= _KEPT_WELL:
        return (Outcome.PASSED if finished else Outcome.NOT_ASSESSED), Severity.INFO
    if kept < _KEPT_NOTHING and access < Access.GRADIENT:
        return Outcome.FAILED, Severity.CRITICAL
    return Outcome.FAILED, Severity.HIGH if kept < _KEPT_HALF else Severity.MEDIUM


def examples(
    context: CheckContext, asked: Asked, fooled: np.ndarray, x: Tensor
) -> tuple[AdversarialExample, ...]:
    """A few fooled samples beside what became of them, one per class before a second of any."""
    rows = one_of_each_class(np.flatnonzero(asked.right & fooled), asked.samples.y.numpy())
    chosen = torch.from_numpy(rows)
    return show_examples(
        asked.passes, asked.samples.select(chosen), x.cpu()[chosen], context.threat, context.data.schema
    )
