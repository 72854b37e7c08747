"""The check that asks whether gradients can be believed, and attacks otherwise where they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gambeson.attacks.averaging import Averaged
from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.protocols import strongest
from gambeson.attacks.robustness import Robustness, choose_samples, clean_predictions, measure_robustness
from gambeson.attacks.sanity import Cause, Diagnosis, diagnose
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, Norm
from gambeson.models.model import Differentiable
from gambeson.models.passes import Passes

_LOOKED_AT = 64
_DRAWS = 16
"""Passes over which a randomised model's answers and gradients are averaged."""

_REMEDY = {
    Cause.RANDOMISED: "Judge a randomised model by the expectation over its randomness (EOT, Athalye et al. 2018).",
    Cause.BATCH_DEPENDENT: "Put the model into evaluation mode (batch normalisation with fixed statistics): no "
    "robust figure is worth anything while answers depend on the company.",
    Cause.NOT_DIFFERENTIABLE: "Judge the model by attacks on scores and labels, or replace the step that cannot be "
    "differentiated by the identity on the way back (BPDA).",
    Cause.SATURATED: "Judge the model by a loss on logits (margin, DLR); return logits instead of probabilities.",
    Cause.QUANTISED_OUTPUT: "Judge the model by attacks on labels or with random search: rounding answers hides the "
    "gradient, not the weakness.",
    Cause.QUANTISED_INPUT: "Judge the model by random search, or put the identity for the rounding on the way back "
    "(BPDA): quantising inputs hides the gradient, not the weakness.",
    Cause.DEAD: "Judge the model by attacks on scores; look for detached tensors and saturated activations.",
    Cause.SHATTERED: "Judge the model by attacks on scores or by gradients averaged over a neighbourhood.",
}

_MUTE = (Cause.SATURATED, Cause.QUANTISED_OUTPUT)
"""Causes under which scores, too, tell little more than labels."""


@checks.register(
    "evasion.sanity",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="Can the gradients of this model be believed?",
        taxonomy=("atlas:AML.T0043.000", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
        cost=1.0,
    ),
)
def evasion_sanity(context: CheckContext) -> list[Finding]:
    """Names the cause of masked gradients and runs the attack that does not depend on them.

    Fails (medium) when gradients mislead: figures of other checks that rest on gradients are then too high, and
    the robust accuracy given here takes their place.

    Raises:
        ModelError: The model answered with something unusable.
    """
    space = PerturbationSet.of(context.threat, context.data.schema)
    passes = Passes(context.model, context.rows_per_pass)
    seed = Seed(context.seed.value).child("samples")
    samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
    right = np.flatnonzero(clean_predictions(passes, samples) == samples.y.numpy())[:_LOOKED_AT]
    looked = samples.select(torch.from_numpy(right))
    context.progress.start(context.check, 1)
    found = diagnose(passes, looked.x, looked.y, space, context.seed.child("directions"))
    if found.cause is Cause.NONE:
        return [_passed(context, found)]
    if found.cause is Cause.BATCH_DEPENDENT:
        return [_failed(context, found, None, [])]
    stages = _follow_up(found.cause, context)
    attacked = _attacked(found.cause, context)
    run = Run(
        context.seed.child("follow-up"),
        deadline=context.deadline,
        journal=context.journal,
        key=f"{context.check}@{context.threat}",
        clock=context.clock,
        donors=samples.x,
    )
    result = measure_robustness(stages, attacked, samples, space, budget=context.threat.queries, run=run)
    return [_failed(context, found, result, stages)]


def _attacked(cause: Cause, context: CheckContext) -> Passes:
    """The model, or the expectation of a randomised one."""
    model = context.model
    if cause is Cause.RANDOMISED and isinstance(model, Differentiable):
        return Passes(Averaged(model, _DRAWS), context.rows_per_pass)
    return Passes(model, context.rows_per_pass)


def _follow_up(cause: Cause, context: CheckContext) -> list[Stage]:
    norm, queries = context.threat.norm, context.effort.queries
    plan = strongest(norm, context.model.info.classes)
    if cause is Cause.RANDOMISED:
        return plan
    search = [stage("square" if norm is Norm.LINF else "nes", f"search({queries})", queries=queries)]
    if cause is Cause.SATURATED and norm in (Norm.LINF, Norm.L2):
        return [
            stage("apgd", "apgd-margin(50)", steps=50, loss="margin"),
            stage("apgd", "apgd-t(50, 3 targets)", steps=50, loss="targeted_margin", targets=3),
            *search,
            *_by_labels(norm, queries),
        ]
    return [*search, *_by_labels(norm, queries)] if cause in _MUTE else search


def _by_labels(norm: Norm, queries: int) -> list[Stage]:
    """What needs no more than labels."""
    if norm is Norm.LINF:
        return [stage("rays", f"rays({queries})", queries=queries)]
    return [stage("hopskipjump", f"hopskipjump({queries})", queries=queries)] if norm is Norm.L2 else []


def _passed(context: CheckContext, found: Diagnosis) -> Finding:
    return replace(
        _finding(context, found),
        title="Nothing speaks against the gradients of this model",
        outcome=Outcome.PASSED,
        summary=f"On {found.of} inputs, {found.detail}.",
    )


def _failed(
    context: CheckContext, found: Diagnosis, result: Robustness | None, stages: list[Stage]
) -> Finding:
    seen = f"On {found.affected} of {found.of} inputs, {found.detail}."
    finding = replace(
        _finding(context, found),
        title=f"Gradients mislead: {found.cause}",
        outcome=Outcome.FAILED,
        severity=Severity.MEDIUM,
        summary=seen,
        remedy=_REMEDY[found.cause],
    )
    if result is None:
        return finding
    robust = result.robust_accuracy
    method = " → ".join(item.label for item in stages)
    return replace(
        finding,
        summary=f"{seen} An attack that does not depend on it leaves {robust.value:.1%} of {robust.n} inputs right.",
        measurements=(robust, result.clean_accuracy, *finding.measurements),
        evidence=replace(
            finding.evidence, samples=len(result.samples), method=f"{method}, seed {context.seed.value}"
        ),
    )


def _finding(context: CheckContext, found: Diagnosis) -> Finding:
    info, threat = checks[context.check].facts, context.threat
    return Finding(
        check=context.check,
        title=info.question,
        family=Family.EVASION,
        access=info.access,
        outcome=Outcome.PASSED,
        severity=Severity.INFO,
        target=f"{threat.norm} eps={threat.eps:.4g}" + (" of range" if threat.unit == "range" else ""),
        measurements=(proportion("misleading_gradients", found.affected, found.of, better="lower"),),
        evidence=Evidence(
            command=context.command,
            samples=found.of,
            method="repeated answers, other batches, gradients of two losses, finite differences",
            facts=(("cause", str(found.cause)), ("seen", found.detail)),
        ),
        taxonomy=info.taxonomy,
    )
