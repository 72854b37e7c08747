"""Membership inference check: can records of the training data be recognised from the model's scores?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.base import privacy
from gambeson.attacks.privacy.features import features_of, told_apart_without_the_model
from gambeson.attacks.privacy.harness import Candidates, Membership, run_inference
from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.references import (
    References,
    Training,
    no_references,
    train_references,
    work_to_train,
)
from gambeson.attacks.privacy.scoring import log_probabilities
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.membership_evidence import (
    Figures,
    measure,
    membership_facts,
    most_exposed,
    roc_curves,
    warning,
)
from gambeson.audit.checks.membership_records import candidate_pool
from gambeson.audit.checks.membership_verdict import Verdict, judge
from gambeson.core.errors import GambesonError, InsufficientEvidence, Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.model import Trainable
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class _Attackers:
    """Reference models, and why there are none or fewer than planned."""

    references: References
    missing: str = ""
    out_of_time: bool = False


@checks.register(
    "privacy.membership",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.SCORES,
        question="Can training records be recognised from the scores of the model?",
        taxonomy=("atlas:AML.T0024.000", "nist:NISTAML.033", "owasp-ml:ML04:2023"),
        cost=2.0,
        per_threat=False,
    ),
)
def privacy_membership(context: CheckContext) -> list[Finding]:
    """Membership inference by thresholds, and with reference models where the model can be trained anew.

    Scores members (training split) and non-members (audited split) once each. Every attack is reported;
    the figures without an attack's name are those of the strongest attack, with an interval that allows for
    having chosen it. ``membership_verdict`` states when the check fails.

    Raises:
        InsufficientEvidence: No training split, too few records, labels that the model does not know, or
            no time to score the records.
        ModelError: The model answered with something unusable.
    """
    pool = candidate_pool(context)
    planned = context.effort.references if isinstance(context.model, Trainable) else 0
    context.progress.start(context.check, len(pool) + work_to_train(len(pool), planned))
    target = _target_scores(context, pool)
    attackers = _train(context, pool)
    features = features_of(pool, context.seed)
    candidates = Candidates(target, pool.labels, pool.truth, attackers.references, features)
    found, refused = _infer(candidates, context.seed)
    blind = told_apart_without_the_model(pool, features, context.seed)
    figures = measure(found, candidates, context.seed, blind)
    finding = _finding(context, pool, found, figures, attackers)
    return [replace(finding, cut=finding.cut + refused)]


def _infer(candidates: Candidates, seed: Seed) -> tuple[list[Membership], tuple[str, ...]]:
    """What every attack found for which there are references enough, and which lack a package."""
    found, refused = [], []
    for entry in privacy:
        few = len(candidates.references) < entry.facts.least_references
        if few or entry.facts.access > Access.SCORES:
            continue
        try:
            needed = entry.facts.needs_outsiders
            found.append(run_inference(entry.plugin(), entry.name, candidates, seed, outsiders=needed))
        except Unavailable as error:
            refused.append(f"{entry.name} was not run: {' '.join(str(error).split())}")
    return found, tuple(refused)


def _target_scores(context: CheckContext, pool: Pool) -> np.ndarray:
    done = 0

    def report(rows: int) -> None:
        nonlocal done
        done += rows
        context.progress.advance(context.check, rows, f"{done} of {len(pool)} records scored")
        if context.time_is_up and done < len(pool):
            raise InsufficientEvidence(
                f"Time ran out when {done} of {len(pool)} records were scored.",
                remedy="allow more time, or choose a quicker profile",
            )

    passes = Passes(context.model, context.rows_per_pass)
    return log_probabilities(passes, pool, budget=context.threat.queries, report=report)


def _train(context: CheckContext, pool: Pool) -> _Attackers:
    info, planned = context.model.info, context.effort.references
    if not isinstance(context.model, Trainable):
        why = f"{info.name} ({info.kind}) cannot be trained anew, so there are no reference models"
        return _Attackers(no_references(len(pool)), why)
    if planned < 2:
        return _Attackers(no_references(len(pool)), f"they need two, {planned} asked for")
    run = Run(
        seed=context.seed.child("references"),
        deadline=context.deadline,
        journal=context.journal,
        key=context.check,
        clock=context.clock,
        report=lambda work, _: context.progress.advance(context.check, work, "reference models"),
    )
    training = Training(context.rows_per_pass, context.executor, context.cache)
    try:
        references = train_references(context.model, pool, planned, training, run)
    except GambesonError as error:
        return _Attackers(no_references(len(pool)), f"no reference model could be trained: {error.message}")
    if references.reused:
        context.progress.advance(
            context.check, 0, f"{references.reused} reference models of an earlier run reused"
        )
    short = len(references) < references.planned
    why = "" if len(references) else "time ran out before two reference models were trained"
    return _Attackers(references, why, out_of_time=short)


def _finding(
    context: CheckContext, pool: Pool, found: list[Membership], figures: Figures, attackers: _Attackers
) -> Finding:
    info = checks[context.check].facts
    trained = len(attackers.references)
    verdict = judge(figures, len(pool.nonmember_rows), unfinished=attackers.out_of_time and not trained)
    return Finding(
        check=context.check,
        title=_title(figures, verdict),
        family=info.family,
        access=info.access,
        outcome=verdict.outcome,
        severity=verdict.severity,
        summary=_summary(pool, figures, attackers),
        reason=verdict.reason,
        remedy=_REMEDY if verdict.outcome is Outcome.FAILED else "",
        measurements=figures.all,
        evidence=Evidence(
            command=context.command,
            samples=len(pool),
            method=" + ".join(item.attack for item in found) + f", seed {context.seed.value}",
            facts=(
                *membership_facts(pool, found, len(pool)),
                ("reference models", _trained(attackers)),
            ),
            curves=(roc_curves(found),),
            tables=(most_exposed(found, figures, pool, context.train_split or ""),),
        ),
        taxonomy=info.taxonomy,
        cut=figures.missing + _cut(attackers),
    )


def _trained(attackers: _Attackers) -> str:
    return f"none: {attackers.missing}" if attackers.missing else str(len(attackers.references))


def _cut(attackers: _Attackers) -> tuple[str, ...]:
    if attackers.missing:
        return (f"attacks with reference models were not run: {attackers.missing}",)
    trained, planned = len(attackers.references), attackers.references.planned
    return (f"{trained} of {planned} reference models were trained",) if attackers.out_of_time else ()


def _title(figures: Figures, verdict: Verdict) -> str:
    failed = verdict.outcome is Outcome.FAILED
    claim = "Training records can be recognised" if failed else "Training records are hard to recognise"
    if verdict.outcome is Outcome.NOT_ASSESSED:
        claim = "Whether training records can be recognised stays open"
    return f"{claim}: membership inference has AUC {figures.area.value:.3f}"


def _summary(pool: Pool, figures: Figures, attackers: _Attackers) -> str:
    text = (
        f"From the model's scores an attacker ranks a training record above another one in "
        f"{figures.area.value:.1%} of pairs (50% is chance)"
    )
    if figures.exposure is not None:
        text += f" and recognises {figures.exposure.value:.1%} of them at a false-positive rate of 1%"
    text += f", measured on {len(pool.member_rows)} members and {len(pool.nonmember_rows)} non-members."
    text += warning(figures)
    if attackers.missing:
        text += f" Stronger attacks with reference models were not run: {attackers.missing}."
    return text


_REMEDY = (
    "Train with differential privacy (DP-SGD, Abadi et al. 2016), which bounds what any such attack can "
    "learn. Cheaper and without a guarantee: stop earlier, regularise, train on more or de-duplicated "
    "records, so that training and test accuracy meet. Returning labels or coarse scores hides little from "
    "label-only attacks."
)
