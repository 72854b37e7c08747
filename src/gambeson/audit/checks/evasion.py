"""Evasion checks: how much accuracy is left when inputs are perturbed on purpose?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gambeson.attacks.anytime import still_falling
from gambeson.attacks.base import evasion
from gambeson.attacks.ensemble import Stage, StageRecord, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import AUTOATTACK_NORMS, MASKING_PROBE, autoattack, first_half, strongest
from gambeson.attacks.robustness import Robustness, choose_samples
from gambeson.attacks.views import follow_up, measure_through
from gambeson.audit.base import PROFILES, CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_curve import ByRadius, accuracy_by_eps
from gambeson.audit.checks.evasion_evidence import evidence
from gambeson.audit.checks.evasion_view import in_words, look_at
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, Norm

_KEPT_WELL = 0.8
_KEPT_HALF = 0.5
_KEPT_NOTHING = 0.1


@checks.register(
    "evasion.gradient",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="How much accuracy is left against an attacker who holds the model?",
        taxonomy=("atlas:AML.T0043.000", "atlas:AML.T0015", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
        cost=3.0,
    ),
)
def evasion_gradient(context: CheckContext) -> list[Finding]:
    """White-box evasion by the ensemble ``strongest``; with the thorough profile AutoAttack after it.

    Fails when less than 80% of the clean accuracy is left (medium), less than half (high). A figure is an
    upper bound: no attack proves robustness.

    Raises:
        Unavailable: No registered attack works under the threat's norm.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context, _gradient_stages(context))]


@checks.register(
    "evasion.scores",
    CheckFacts(
        family=Family.EVASION,
        access=Access.SCORES,
        question="How much accuracy is left against an attacker who sees scores only?",
        taxonomy=("atlas:AML.T0043.001", "atlas:AML.T0015", "nist:NISTAML.025", "owasp-ml:ML01:2023"),
        cost=2.0,
    ),
)
def evasion_scores(context: CheckContext) -> list[Finding]:
    """Black-box evasion from scores: Square; on tables a random search over valid rows before it.

    Fails like ``evasion.gradient``; critical when less than a tenth of the clean accuracy is left, because
    this attacker needs no more than an API key.

    Raises:
        Unavailable: No registered attack works under the threat's norm.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context, _score_stages(context))]


@checks.register(
    "evasion.labels",
    CheckFacts(
        family=Family.EVASION,
        access=Access.LABELS,
        question="How much accuracy is left against an attacker who sees labels only?",
        taxonomy=("atlas:AML.T0043.001", "atlas:AML.T0015", "nist:NISTAML.025", "owasp-ml:ML01:2023"),
        cost=2.0,
    ),
)
def evasion_labels(context: CheckContext) -> list[Finding]:
    """Black-box evasion from labels: RayS under linf, HopSkipJump under l2; on tables a walk over rows before.

    Fails like ``evasion.scores``.

    Raises:
        Unavailable: No registered attack works under the threat's norm.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context, _label_stages(context))]


def _gradient_stages(context: CheckContext) -> list[Stage]:
    """``strongest``: its first half for a quick look, AutoAttack on top for a thorough one."""
    norm, classes = context.threat.norm, context.model.info.classes
    stages, table = strongest(norm, classes), _table_stages(context, "tabular")
    if context.effort.steps < PROFILES["standard"].steps:
        return [*first_half(norm, classes), *table]
    if context.effort.steps < PROFILES["thorough"].steps or norm not in AUTOATTACK_NORMS or classes < 4:
        return [*stages, *table]
    return [*stages, *table, *autoattack(norm, classes)]


def _table_stages(context: CheckContext, name: str) -> list[Stage]:
    """Random search over rows that could exist: categories, which no gradient reaches, and relations."""
    queries = _queries(context)
    return [stage(name, f"{name}({queries})", queries=queries)] if context.data.schema.features else []


def _score_stages(context: CheckContext) -> list[Stage]:
    queries, table = _queries(context), _table_stages(context, "tabular")
    if table and context.threat.norm not in evasion["square"].facts.norms:
        return table
    if context.threat.norm is Norm.L0:
        raise Unavailable(
            f"No attack of this version works from scores alone under {context.threat.norm}.",
            remedy="declare a second threat model with norm linf to cover score-only attackers",
        )
    return [*table, stage("square", f"square({queries})", queries=queries)]


def _label_stages(context: CheckContext) -> list[Stage]:
    queries, table = _queries(context), _table_stages(context, "tabular_labels")
    if context.threat.norm is Norm.LINF:
        return [*table, stage("rays", f"rays({queries})", queries=queries)]
    if context.threat.norm is Norm.L2:
        return [*table, stage("hopskipjump", f"hopskipjump({queries})", queries=queries)]
    if table:
        return table
    raise Unavailable(
        f"No attack of this version works from labels alone under {context.threat.norm}.",
        remedy="declare a second threat model with norm linf or l2 to cover label-only attackers",
    )


def _queries(context: CheckContext) -> int:
    return min(context.effort.queries, context.threat.queries or context.effort.queries)


@dataclass
class _Report:
    """Turns the harness's work into progress with a count of what is broken."""

    context: CheckContext
    broken: int = 0
    of: int = 0

    def __call__(self, work: int, fallen: int) -> None:
        self.broken += fallen
        self.context.progress.advance(self.context.check, work, f"{self.broken} of {self.of} broken")


def _measure(context: CheckContext, stages: list[Stage]) -> Finding:
    space = PerturbationSet.of(context.threat, context.data.schema)
    # Every evasion check draws the same samples, so that their figures can be held against each other.
    seed = Seed(context.seed.value).child("samples")
    samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
    view = look_at(context, samples, space, checks[context.check].facts.access)
    if not view.trusted:
        stages = follow_up(view, context.threat.norm, _queries(context))
    length = sum(item.attack.length for item in stages)
    context.progress.start(context.check, len(samples) * length)
    report = _Report(context, of=len(samples))
    result = measure_through(
        view,
        stages,
        samples,
        space,
        budget=context.threat.queries,
        run=_run(context, "main", report, samples),
    )
    curve = _run(context, "curve", lambda work, fallen: _say_curve(context), samples)
    found = _finding(context, result, stages, accuracy_by_eps(context, result, view.passes, space, curve))
    return replace(found, summary=found.summary + in_words(view))


def _say_curve(context: CheckContext) -> None:
    """Keep the progress alive; the curve's work is small beside the main attack's and not part of the plan."""
    context.progress.advance(context.check, 0, "robust accuracy by eps")


def _run(context: CheckContext, part: str, report: Callable[[int, int], None], samples: Samples) -> Run:
    return Run(
        seed=context.seed.child(part),
        deadline=context.deadline,
        journal=context.journal,
        key=f"{context.check}@{context.threat}/{part}",
        clock=context.clock,
        donors=samples.x,
        report=report,
    )


def _finding(
    context: CheckContext,
    result: Robustness,
    stages: list[Stage],
    by_radius: ByRadius,
) -> Finding:
    info, threat = checks[context.check].facts, context.threat
    cut = [_cut(record) for record in result.outcome.records if record.unfinished] + list(by_radius.cut)
    kept = result.robust_accuracy.value / max(result.clean_accuracy.value, 1e-9)
    outcome, severity = _judge(kept, info.access, finished=result.outcome.unfinished == 0)
    low, high = result.robust_accuracy.value, result.clean_accuracy.value
    target = threat.reach
    who = {
        Access.GRADIENT: "an attacker with gradients",
        Access.SCORES: "an attacker with scores only",
        Access.LABELS: "an attacker with labels only",
    }[info.access]
    return Finding(
        check=context.check,
        title=f"Accuracy falls from {high:.1%} to {low:.1%} under {target}, {info.access} access",
        family=Family.EVASION,
        access=info.access,
        outcome=outcome,
        severity=severity,
        summary=(
            f"Of {len(result.samples)} inputs the model gets {high:.1%} right; {who} who may change each "
            f"input by {target} leaves {low:.1%}. A stronger attack can only lower this figure."
            f"{_masking(result)}"
        ),
        reason="time ran out before the attacks could answer" if outcome is Outcome.NOT_ASSESSED else "",
        remedy=_remedy(outcome, info.access),
        target=target,
        measurements=_figures(result),
        evidence=evidence(context, result, [item.label for item in stages], by_radius),
        taxonomy=info.taxonomy,
        cut=tuple(cut),
    )


def _masking(result: Robustness) -> str:
    """A sentence where random search broke what gradients called hopeless."""
    for record in result.outcome.records:
        if record.label == MASKING_PROBE and record.fell:
            return (
                f" Its gradients are masked: a short random search broke {record.fell} of {record.tried} inputs that "
                "they called hopeless (Athalye et al. 2018), so that random search then ran on all that stood."
            )
    return ""


def _figures(result: Robustness) -> tuple[Measurement, ...]:
    broken, attacked = int(result.outcome.fallen.sum()), len(result.attacked)
    success = proportion("attack_success_rate", broken, attacked, better="lower")
    found = (result.robust_accuracy, result.clean_accuracy, success, still_falling(result))
    return tuple(figure for figure in found if figure is not None)


def _judge(kept: float, access: Access, *, finished: bool) -> tuple[Outcome, Severity]:
    """Outcome and severity from the share of clean accuracy that is left.

    What has fallen stays fallen, so a failure stands even when time ran out; a pass does not.
    """
    if kept >= _KEPT_WELL:
        return (Outcome.PASSED if finished else Outcome.NOT_ASSESSED), Severity.INFO
    if kept < _KEPT_NOTHING and access < Access.GRADIENT:
        return Outcome.FAILED, Severity.CRITICAL
    return Outcome.FAILED, Severity.HIGH if kept < _KEPT_HALF else Severity.MEDIUM


def _cut(record: StageRecord) -> str:
    if record.unfinished == record.tried:
        return f"{record.label} did not run to its end on any of the {record.tried} samples still standing"
    return f"{record.label} was stopped on {record.unfinished} of {record.tried} samples"


def _remedy(outcome: Outcome, access: Access) -> str:
    if outcome is not Outcome.FAILED:
        return ""
    text = (
        "Train on adversarial examples of this threat model (Madry et al. 2018; TRADES, Zhang et al. 2019) "
        "and audit again with the same command."
    )
    if access is Access.GRADIENT:
        return text
    less = (
        "return labels instead of scores where the product allows it, and " if access is Access.SCORES else ""
    )
    return text + (
        f" Until then, {less}limit and watch queries per client: this attack spends hundreds of near-identical "
        "queries on one input."
    )
