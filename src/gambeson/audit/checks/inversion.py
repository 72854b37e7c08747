"""Model inversion checks: does the model show what the inputs of a class look like?"""

from __future__ import annotations

from collections.abc import Callable

from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.inversion.base import Inversion, InversionFacts, inversions
from gambeson.attacks.privacy.inversion.harness import Plan, run_inversion
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.inversion_evidence import (
    Figures,
    Judged,
    attacks_compared,
    judge_accuracy,
    judged,
    measure,
    reconstructions_shown,
)
from gambeson.audit.checks.inversion_ground import (
    Ground,
    divide_ground,
    kept_judge,
    plan_inversion,
    seed_of,
)
from gambeson.audit.checks.inversion_verdict import STRONG_JUDGE, Verdict, judge_inversion
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.registry import Entry
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_SHARED = "privacy.inversion"
"""Where all three checks keep their reconstructions: an attack is run once."""
_TAXONOMY = ("atlas:AML.T0024.001", "nist:NISTAML.032", "owasp-ml:ML03:2023")


@checks.register(
    "privacy.inversion",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.GRADIENT,
        question="Do the gradients of the model show what the inputs of a class look like?",
        taxonomy=_TAXONOMY,
        per_threat=False,
    ),
)
def privacy_inversion(context: CheckContext) -> list[Finding]:
    """Reconstructions of every class, by gradients and by all that needs less, judged by a classifier of our own.

    The attacker holds inputs of other classes only, without labels. ``inversion_verdict`` states when the check
    fails.

    Raises:
        InsufficientEvidence: Too few rows that the target was not trained on, a judge that is hardly better than
            chance, or no time.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context)]


@checks.register(
    "privacy.inversion_scores",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.SCORES,
        question="Do the scores of the model show what the inputs of a class look like?",
        taxonomy=_TAXONOMY,
        per_threat=False,
    ),
)
def privacy_inversion_scores(context: CheckContext) -> list[Finding]:
    """The same without gradients: an inverse network, a search in the principal components of the attacker's inputs.

    Raises:
        InsufficientEvidence: As for ``privacy.inversion``.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context)]


@checks.register(
    "privacy.inversion_labels",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.LABELS,
        question="Do the labels of the model show what the inputs of a class look like?",
        taxonomy=_TAXONOMY,
        per_threat=False,
    ),
)
def privacy_inversion_labels(context: CheckContext) -> list[Finding]:
    """The same from labels alone.

    Raises:
        InsufficientEvidence: As for ``privacy.inversion``.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context)]


def _measure(context: CheckContext) -> Finding:
    ground = divide_ground(context)
    plan, seed = plan_inversion(context, ground), seed_of(context)
    entries = _granted(checks[context.check].facts.access)
    context.progress.start(context.check, len(plan.classes) * plan.each * (len(entries) + 1))
    _require_time(context)
    judge = kept_judge(context, ground)
    accuracy = judge_accuracy(judge, ground)
    _require_judge(accuracy, context.model.info.classes)
    context.progress.advance(context.check, len(plan.classes) * plan.each, "the judge is trained")
    run = Run(
        seed=seed,
        deadline=context.deadline,
        journal=context.journal,
        key=_SHARED,
        clock=context.clock,
        report=lambda work, _: context.progress.advance(context.check, work, "reconstructions"),
    )
    passes = Passes(context.model, context.rows_per_pass)
    tried = [run_inversion(e.plugin, e.name, e.facts, passes, plan, run) for e in entries]
    items = [judged(found, judge, ground) for found in tried if found is not None]
    if not items:
        _require_time(context)
        raise InsufficientEvidence(
            f"The attacker holds {len(ground.public)} inputs, too few for every attack.",
            remedy="give more records that the model was not trained on",
        )
    left_out = tuple(e.name for e, found in zip(entries, tried, strict=True) if found is None)
    return _finding(
        context, ground, plan, measure(items, judge, accuracy, ground, plan, seed), items, left_out
    )


def _granted(access: Access) -> list[Entry[Callable[..., Inversion], InversionFacts]]:
    """The attacks for which an access is enough, those that use all of it first."""
    return sorted(
        (e for e in inversions if e.facts.access <= access), key=lambda e: e.facts.access.rank, reverse=True
    )


def _require_time(context: CheckContext) -> None:
    if context.time_is_up:
        raise InsufficientEvidence(
            "Time ran out before one class was reconstructed.",
            remedy="allow more time, or choose a quicker profile",
        )


def _require_judge(accuracy: Measurement, classes: int) -> None:
    least = (1 + 1 / classes) / 2
    if accuracy.value < least:
        raise InsufficientEvidence(
            f"The judge of reconstructions is right on {accuracy.value:.1%} of inputs that it never saw.",
            expected=f"at least {least:.0%}, half way from chance to certainty",
            remedy="give more records that the model was not trained on: the judge learns from them",
        )


def _finding(
    context: CheckContext,
    ground: Ground,
    plan: Plan,
    figures: Figures,
    items: list[Judged],
    left_out: tuple[str, ...],
) -> Finding:
    info, unfinished = checks[context.check].facts, figures.strongest.found.unfinished
    verdict = judge_inversion(figures.top1, figures.baseline, figures.records, figures.judge, unfinished)
    others = [item for item in items if item is not figures.strongest]
    grid = reconstructions_shown([figures.strongest, *others], ground, context.data.schema.classes)
    return Finding(
        check=context.check,
        title=_title(figures, verdict),
        family=info.family,
        access=info.access,
        outcome=verdict.outcome,
        severity=verdict.severity,
        summary=_summary(ground, figures),
        reason=verdict.reason,
        remedy=_REMEDY if verdict.outcome is Outcome.FAILED else "",
        measurements=figures.all,
        evidence=Evidence(
            command=context.command,
            samples=len(figures.strongest.rank),
            method=" + ".join(item.found.attack for item in items) + f", seed {context.seed.value}",
            facts=_facts(ground, plan, figures),
            tables=(attacks_compared(items),),
            grids=(grid,) if grid is not None else (),
        ),
        taxonomy=info.taxonomy,
        cut=_cut(items, left_out, len(ground.public)),
    )


def _facts(ground: Ground, plan: Plan, figures: Figures) -> tuple[tuple[str, str], ...]:
    queries = figures.strongest.found.queries / len(figures.strongest.rank)
    return (
        ("reconstructions", f"{plan.each} of each of {len(plan.classes)} classes"),
        (
            "inputs of the attacker",
            f"{len(ground.public)}, of which those that show a wanted class are hidden",
        ),
        (
            "inputs that the judge learnt from",
            f"{len(ground.judging)}, none of them training data of the model",
        ),
        ("audited rows left out as training records", str(ground.removed)),
        ("queries for each reconstruction", f"{queries:,.0f} by {figures.strongest.found.attack}"),
    )


def _cut(items: list[Judged], left_out: tuple[str, ...], public: int) -> tuple[str, ...]:
    short = tuple(
        f"{item.found.attack} did not come to {item.found.unfinished} classes"
        for item in items
        if item.found.unfinished
    )
    return short + tuple(
        f"{name} was not run: no time, or {public} public inputs are too few" for name in left_out
    )


def _title(figures: Figures, verdict: Verdict) -> str:
    claim = f"{figures.top1.value:.0%} of reconstructions are recognised as their class"
    if verdict.outcome is Outcome.FAILED:
        return f"The model shows what its classes look like: {claim}"
    if verdict.outcome is Outcome.NOT_ASSESSED:
        return f"Whether the model shows what its classes look like stays open: {claim}"
    return f"The model hardly shows what its classes look like: {claim}"


def _summary(ground: Ground, figures: Figures) -> str:
    text = (
        f"An attacker who holds no input of a class reconstructs some from the model; an independent classifier, right "
        f"on {figures.judge.value:.1%} of inputs that it never saw, takes {figures.top1.value:.1%} of them for that "
        f"class, and {figures.baseline.value:.1%} of inputs that the attacker held anyway."
    )
    if figures.judge.value < STRONG_JUDGE:
        text += " That classifier is weak, so the share is a rough one."
    if figures.records is None:
        return text + " Without training records it cannot be said whether single records show."
    share = figures.records.value
    return text + (
        f" In {share:.0%} of the classes the reconstructions lie nearer to a training record than to a fresh record "
        f"(50% is chance), so they show "
        + ("single records." if _low(figures.records) > 0.6 else "the class rather than single records.")
    )


def _low(figure: Measurement) -> float:
    return figure.interval.low if figure.interval is not None else figure.value


_REMEDY = (
    "It matters where a class is a person or a secret. Train with differential privacy (DP-SGD, Abadi et al. 2016), "
    "which blurs what single records leave in the model; answer with labels or coarse scores and without gradients, "
    "which raises the price but seldom closes the leak; limit queries per client; and don't publish the weights. Let "
    "no class stand for one person: merge such classes."
)
