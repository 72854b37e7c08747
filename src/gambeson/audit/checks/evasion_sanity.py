"""The check that asks whether gradients can be believed, and attacks otherwise where they cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import first_half
from gambeson.attacks.robustness import Robustness, choose_samples, measure_robustness
from gambeson.attacks.sanity import Cause, Diagnosis, diagnose
from gambeson.attacks.symptoms import REMEDY, Sign, look_for_symptoms
from gambeson.attacks.views import View, follow_up, measure_through, see_through
from gambeson.audit.base import PROFILES, CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_view import choose_right, in_words, look_seed
from gambeson.core.errors import ModelError
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_CHECKED = 32
"""Most samples on which symptoms are looked for; half of them for a quick look."""
_AS_GOOD = 0.005
"""By how much gradients alone may leave more right than the follow-up attack and still be believed."""

_REMEDY = {
    Cause.RANDOMISED: "Judge a randomised model by the expectation over its randomness (EOT, Athalye et al. 2018).",
    Cause.BATCH_DEPENDENT: "Put the model into evaluation mode (model.eval(), batch normalisation with running "
    "statistics): no robust figure is worth anything while answers depend on the company.",
    Cause.NOT_DIFFERENTIABLE: "Judge the model with the identity in place of the step that cannot be differentiated "
    "(BPDA), or by attacks on scores and labels.",
    Cause.NOT_FINITE: "Mend the function whose derivative is NaN or infinite (a square root or a logarithm at 0), and "
    "judge the model by attacks on scores until then.",
    Cause.SATURATED: "Judge the model by its logits at a natural scale (margin, DLR); return logits instead of "
    "probabilities.",
    Cause.QUANTISED_OUTPUT: "Judge the model with the identity in place of the rounding (BPDA), by random search or "
    "from labels: rounding answers hides the gradient, not the weakness.",
    Cause.QUANTISED_INPUT: "Judge the model with the identity in place of the rounding (BPDA) or by random search: "
    "quantising inputs hides the gradient, not the weakness.",
    Cause.DEAD: "Judge the model with the identity in place of what cuts the gradient (BPDA) or by attacks on scores; "
    "look for detached tensors and saturated activations.",
    Cause.VANISHING: "Judge the model with the identity in place of the clip, ramp or threshold that levels its input "
    "(BPDA) or by attacks on scores: a level stretch hides the gradient, not the weakness.",
    Cause.SHATTERED: "Judge the model with the identity in place of its preprocessing (BPDA) or by attacks on scores.",
    Cause.UNKNOWN: "Judge the model by random search and from labels, and look for what makes gradients fail.",
}


@checks.register(
    "evasion.sanity",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="Can the gradients of this model be believed?",
        taxonomy=("atlas:AML.T0043.000", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
        cost=1.0,
        any_answers=True,
    ),
)
def evasion_sanity(context: CheckContext) -> list[Finding]:
    """Names the cause of masked gradients and runs the attack that does not depend on them.

    Beside the cause it looks for symptoms: random points or a black-box attack that beat gradients, a larger radius
    that does not help, an unbounded attack that fails, a flat or infinite loss.

    Fails (medium) when gradients mislead; passes when they look odd but find as much by themselves. The robust
    accuracy given here is the follow-up attack's, beside what gradients alone would have claimed.

    Raises:
        ModelError: The model answered with something unusable.
    """
    space = PerturbationSet.of(context.threat, context.data.schema)
    passes = Passes(context.model, context.rows_per_pass)
    seed = Seed(context.seed.value).child("samples")
    samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
    looked = choose_right(passes, samples)
    x, y = looked.x.to(passes.device), looked.y.to(passes.device)
    context.progress.start(context.check, 1)
    found = diagnose(passes, x, y, space, look_seed(context))
    if found.cause is Cause.BATCH_DEPENDENT:
        return [_refused(context, found)]
    signs = _signs(context, passes, looked, space, found)
    seen = [sign for sign in signs if sign.seen]
    if found.cause is Cause.NONE and not seen:
        return [_passed(context, found, signs)]
    if found.cause is Cause.NONE:
        found = Diagnosis(Cause.UNKNOWN, len(looked), len(looked), seen[0].detail)
    view = see_through(passes, found, x, y, space, seed=look_seed(context))
    return [_failed(context, _follow(context, view, samples, space), signs)]


def _signs(
    context: CheckContext, passes: Passes, looked: Samples, space: PerturbationSet, found: Diagnosis
) -> tuple[Sign, ...]:
    """Symptoms on a few samples; a randomised model has no repeatable attack to compare."""
    quick = context.effort.curve == PROFILES["quick"].curve
    few = choose_right(passes, looked, _CHECKED // 2 if quick else _CHECKED)
    if found.cause is Cause.RANDOMISED or not len(few):
        return ()
    queries = 100 if quick else 200
    return look_for_symptoms(passes, few, space, queries=queries, run=Run(context.seed.child("symptoms")))


@dataclass(frozen=True, slots=True)
class _Follow:
    """The follow-up attack, and what gradients alone would have claimed (``None`` where there are none)."""

    view: View
    method: str
    result: Robustness
    naive: Measurement | None


def _follow(context: CheckContext, view: View, samples: Samples, space: PerturbationSet) -> _Follow:
    stages = follow_up(view, context.threat.norm, context.effort.queries)
    run = Run(
        context.seed.child("follow-up"),
        deadline=context.deadline,
        journal=context.journal,
        key=f"{context.check}@{context.threat}",
        clock=context.clock,
        donors=samples.x,
    )
    result = measure_through(view, stages, samples, space, budget=context.threat.queries, run=run)
    return _Follow(
        view, " → ".join(item.label for item in stages), result, _naive(context, samples, space, run)
    )


def _naive(context: CheckContext, samples: Samples, space: PerturbationSet, run: Run) -> Measurement | None:
    """What the first half of ``strongest`` finds along the model's own gradients."""
    stages = first_half(context.threat.norm, context.model.info.classes)
    run = replace(run, seed=context.seed.child("naive"), key=f"{run.key}/naive")
    passes = Passes(context.model, context.rows_per_pass)
    try:
        found = measure_robustness(stages, passes, samples, space, budget=context.threat.queries, run=run)
    except ModelError:
        return None
    return replace(found.robust_accuracy, name="robust_accuracy_by_gradients_alone")


def _passed(context: CheckContext, found: Diagnosis, signs: tuple[Sign, ...]) -> Finding:
    return replace(
        _finding(context, found, signs),
        title="Nothing speaks against the gradients of this model",
        outcome=Outcome.PASSED,
        summary=f"On {found.of} inputs, {found.detail}.",
    )


def _refused(context: CheckContext, found: Diagnosis) -> Finding:
    return replace(
        _finding(context, found, ()),
        title=f"Gradients mislead: {found.cause}",
        outcome=Outcome.FAILED,
        severity=Severity.MEDIUM,
        summary=f"On {found.affected} of {found.of} inputs, {found.detail}. No check gives a robust accuracy for it.",
        remedy=_REMEDY[found.cause],
    )


def _failed(context: CheckContext, follow: _Follow, signs: tuple[Sign, ...]) -> Finding:
    found, robust, naive = follow.view.found, follow.result.robust_accuracy, follow.naive
    alone = f" Gradients alone leave {naive.value:.1%} of {naive.n} inputs right;" if naive else ""
    seen = [sign.symptom for sign in signs if sign.seen]
    also = f" Symptoms: {', '.join(seen)}." if seen else ""
    finding = _finding(context, found, signs)
    harmless = naive is not None and naive.value <= robust.value + _AS_GOOD
    harmless = harmless and not seen and found.cause is not Cause.RANDOMISED
    figures = [robust, *([naive] if naive else []), follow.result.clean_accuracy, *finding.measurements]
    return replace(
        finding,
        title=f"Gradients {'look odd but do no harm' if harmless else 'mislead'}: {found.cause}",
        outcome=Outcome.PASSED if harmless else Outcome.FAILED,
        severity=Severity.INFO if harmless else Severity.MEDIUM,
        summary=(
            f"On {found.affected} of {found.of} inputs, {found.detail}.{also}{alone} the follow-up attack leaves "
            f"{robust.value:.1%}.{in_words(follow.view)}"
        ),
        remedy="" if harmless else " ".join([_REMEDY[found.cause], *(f"{s}: {REMEDY[s]}." for s in seen)]),
        measurements=tuple(figures),
        evidence=replace(
            finding.evidence,
            samples=len(follow.result.samples),
            method=f"{follow.method}, seed {context.seed.value}",
        ),
    )


def _finding(context: CheckContext, found: Diagnosis, signs: tuple[Sign, ...]) -> Finding:
    info, threat = checks[context.check].facts, context.threat
    words = {True: "seen", False: "not seen", None: "not looked for"}
    return Finding(
        check=context.check,
        title=info.question,
        family=Family.EVASION,
        access=info.access,
        outcome=Outcome.PASSED,
        severity=Severity.INFO,
        target=threat.reach,
        measurements=(proportion("misleading_gradients", found.affected, found.of, better="lower"),),
        evidence=Evidence(
            command=context.command,
            samples=found.of,
            method="repeated answers, other batches, gradients of two losses, finite differences, short attacks",
            facts=(
                ("cause", str(found.cause)),
                ("what was seen", found.detail),
                *((f"{sign.symptom}?", f"{words[sign.seen]}: {sign.detail}") for sign in signs),
            ),
        ),
        taxonomy=info.taxonomy,
    )
