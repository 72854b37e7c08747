"""Label-only membership check: can training records be recognised where the model answers with labels alone?"""

from __future__ import annotations

import numpy as np

from gambeson.attacks.privacy.features import features_of, told_apart_without_the_model
from gambeson.attacks.privacy.harness import Candidates, Membership
from gambeson.attacks.privacy.label_only import SOURCE, Stability, stability
from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.references import no_references
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
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_QUERIES_PER_REFERENCE = 8
"""Queries for each record grow with the profile: 16, 32, 64."""


@checks.register(
    "privacy.membership_labels",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.LABELS,
        question="Can training records be recognised from the labels that the model answers?",
        taxonomy=("atlas:AML.T0024.000", "nist:NISTAML.033", "owasp-ml:ML04:2023"),
        cost=1.0,
        per_threat=False,
    ),
)
def privacy_membership_labels(context: CheckContext) -> list[Finding]:
    """Membership inference from labels: right or wrong, and how robust the right answer is to changes of the record.

    Each record is asked about once as it is (``gap``, the baseline) and then as changed copies (``label_noise``): table
    rows with flipped or exchanged features, pictures moved and with noise. The threat model's query budget is kept. The
    rule for failing is that of ``privacy.membership``.

    Raises:
        InsufficientEvidence: No training split, too few records, labels that the model does not know, or
            no time to ask about the records.
        ModelError: The model answered with something unusable.
    """
    pool = candidate_pool(context)
    queries = _queries(context)
    context.progress.start(context.check, len(pool) * queries)
    answers = _ask(context, pool, queries)
    found = [Membership(name, *_split(scores, pool)) for name, scores in _scores(answers, pool).items()]
    blind = told_apart_without_the_model(pool, features_of(pool, context.seed), context.seed)
    candidates = Candidates(_one_hot(answers, context), pool.labels, pool.truth, no_references(len(pool)))
    return [_finding(context, pool, found, measure(found, candidates, context.seed, blind), answers)]


def _queries(context: CheckContext) -> int:
    wanted = _QUERIES_PER_REFERENCE * context.effort.references
    budget = context.threat.queries
    return max(wanted if budget is None else min(wanted, budget), 1)


def _ask(context: CheckContext, pool: Pool, queries: int) -> Stability:
    done = 0

    def report(rows: int) -> None:
        nonlocal done
        done += rows
        context.progress.advance(context.check, rows * queries, f"{done} of {len(pool)} records")
        if context.time_is_up and done < len(pool):
            raise InsufficientEvidence(
                f"Time ran out when {done} of {len(pool)} records were asked about.",
                remedy="allow more time, or choose a quicker profile",
            )

    return stability(
        Passes(context.model, context.rows_per_pass), pool, queries, context.seed.child("changes"), report
    )


def _scores(answers: Stability, pool: Pool) -> dict[str, np.ndarray]:
    found = {"gap": answers.gap(pool.labels)}
    return found | {"label_noise": answers.noise(pool.labels)} if answers.queries > 1 else found


def _split(scores: np.ndarray, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    return scores[pool.truth], scores[~pool.truth]


def _one_hot(answers: Stability, context: CheckContext) -> np.ndarray:
    return np.asarray(np.eye(context.model.info.classes)[answers.predicted])


def _finding(
    context: CheckContext, pool: Pool, found: list[Membership], figures: Figures, answers: Stability
) -> Finding:
    info = checks[context.check].facts
    verdict = judge(figures, len(pool.nonmember_rows), unfinished=False)
    return Finding(
        check=context.check,
        title=_title(figures, verdict),
        family=info.family,
        access=info.access,
        outcome=verdict.outcome,
        severity=verdict.severity,
        summary=(
            f"From labels alone, asked {answers.queries} times about each record ({answers.changes}), an attacker "
            f"ranks a training record above another one in {figures.area.value:.1%} of pairs (50% is chance), measured "
            f"on {len(pool.member_rows)} members and {len(pool.nonmember_rows)} non-members.{warning(figures)}"
        ),
        reason=verdict.reason,
        remedy=_REMEDY if verdict.outcome is Outcome.FAILED else "",
        measurements=figures.all,
        evidence=Evidence(
            command=context.command,
            samples=len(pool),
            method=" + ".join(item.attack for item in found) + f", seed {context.seed.value}; {SOURCE}",
            facts=(
                *membership_facts(pool, found, len(pool) * answers.queries),
                ("changed copies of a record", f"{answers.queries - 1}: {answers.changes}"),
            ),
            curves=(roc_curves(found),),
            tables=(most_exposed(found, figures, pool, context.train_split or ""),),
        ),
        taxonomy=info.taxonomy,
        cut=figures.missing,
    )


def _title(figures: Figures, verdict: Verdict) -> str:
    claims = {
        Outcome.FAILED: "Labels alone give training records away",
        Outcome.NOT_ASSESSED: "Whether labels alone give training records away stays open",
    }
    claim = claims.get(verdict.outcome, "Labels alone hardly give training records away")
    return f"{claim}: membership inference has AUC {figures.area.value:.3f}"


_REMEDY = (
    "Hiding the scores does not help here. Train with differential privacy (DP-SGD, Abadi et al. 2016); cheaper and "
    "without a guarantee: stop earlier, regularise, augment, train on more or de-duplicated records."
)
