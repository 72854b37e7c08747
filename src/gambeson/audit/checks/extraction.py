"""Extraction checks: how like the model is a copy that is trained on its answers, for how many queries?"""

from __future__ import annotations

from dataclasses import replace

import torch

from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.extraction_copies import Thief, Trial
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Curve, Evidence, Family, Finding, Outcome, Series, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.stats import proportion
from gambeson.core.threat import Access

_ALIKE = ((0.9, Severity.MEDIUM), (0.8, Severity.LOW))
_TAXONOMY = ("atlas:AML.T0024.002", "nist:NISTAML.031", "owasp-ml:ML05:2023")


@checks.register(
    "extraction.labels",
    CheckFacts(
        family=Family.EXTRACTION,
        access=Access.LABELS,
        question="How like the model is a copy that is trained on the classes it answers?",
        taxonomy=_TAXONOMY,
        per_threat=False,
    ),
)
def extraction_labels(context: CheckContext) -> list[Finding]:
    """A student trained on labels, at growing numbers of queries: a network, or for tables boosted trees where better.

    The attacker holds inputs like those that the model was made for (the training split where there is one). Fidelity
    is the share of audited inputs to which the copy gives the model's own answer, right or wrong. Fails, low, when its
    lower 95% bound at the largest number of queries is above 0.8, medium above 0.9 where true labels do not do as well.
    Beside it stands how many adversarial examples made on the last copy, within the audited perturbation set, fool the
    model itself.

    Raises:
        InsufficientEvidence: Too few inputs to train on, or no time to train one copy.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context)]


@checks.register(
    "extraction.scores",
    CheckFacts(
        family=Family.EXTRACTION,
        access=Access.SCORES,
        question="How like the model is a copy that is trained on the scores it answers?",
        taxonomy=_TAXONOMY,
        per_threat=False,
    ),
)
def extraction_scores(context: CheckContext) -> list[Finding]:
    """The same from the scores of all classes.

    Raises:
        InsufficientEvidence: Too few inputs to train on, or no time to train one copy.
        ModelError: The model answered with something unusable.
    """
    return [_measure(context)]


def _measure(context: CheckContext) -> Finding:
    thief = Thief(context)
    found = list(thief.trials())
    if not found:
        raise InsufficientEvidence(
            "Time ran out before one copy was trained.", remedy="allow more time, or choose a quicker profile"
        )
    baseline = thief.with_true_labels()
    best, info = found[-1].fidelity, checks[context.check].facts
    severity = _severity(best, baseline)
    outcome = Outcome.PASSED if severity is Severity.INFO else Outcome.FAILED
    cut = tuple(f"no copy was trained on {b} answers" for b in thief.budgets[len(found) :])
    if cut and outcome is Outcome.PASSED:
        outcome = Outcome.NOT_ASSESSED
    return Finding(
        check=context.check,
        title=f"A copy trained on {found[-1].queries} answers agrees with the model on {best.value:.1%} of inputs",
        family=info.family,
        access=info.access,
        outcome=outcome,
        severity=severity,
        summary=_summary(thief, found, baseline),
        reason="time ran out before the copies with more queries were trained" if cut else "",
        remedy=_REMEDY if outcome is Outcome.FAILED else "",
        measurements=_figures(thief, found, baseline),
        evidence=Evidence(
            command=context.command,
            samples=len(thief.samples),
            method=(
                f"{thief.plan(found[-1].queries)} extraction into {_STUDENTS[found[-1].student]}, "
                f"seed {context.seed.value}"
            ),
            facts=(
                ("inputs of the attacker", f"{len(thief.theft.x)} from {thief.source}"),
                ("price", f"{found[-1].queries} queries, one for each input"),
            ),
            curves=_curves(found),
        ),
        taxonomy=info.taxonomy,
        cut=cut,
    )


def _severity(best: Measurement, baseline: Trial | None) -> Severity:
    """By fidelity; low at most where true labels, which cost no query, give as good a copy."""
    severity = next((s for least, s in _ALIKE if _low(best) > least), Severity.INFO)
    as_good = baseline is not None and baseline.fidelity.value >= _low(best)
    return min(severity, Severity.LOW, key=lambda s: s.rank) if as_good else severity


def _summary(thief: Thief, found: list[Trial], baseline: Trial | None) -> str:
    what = "the classes" if thief.access is Access.LABELS else "the scores"
    text = (
        f"From {what} that the model answers to {found[-1].queries} inputs of their own, an attacker trains a network "
        f"that gives the model's answer, right or wrong, to {found[-1].fidelity.value:.1%} of other inputs."
    )
    if baseline is not None:
        text += f" Trained on the true labels instead, without a query, it does so on {baseline.fidelity.value:.1%}."
        if baseline.fidelity.value >= _low(found[-1].fidelity):
            text += " To someone who has labels the answers are worth nothing."
    return text


def _figures(thief: Thief, found: list[Trial], baseline: Trial | None) -> tuple[Measurement, ...]:
    n, most = len(thief.said), int(torch.bincount(thief.said).max())
    figures = [trial.fidelity for trial in reversed(found)] + [trial.accuracy for trial in reversed(found)]
    if baseline is not None:
        figures.append(replace(baseline.fidelity, name="fidelity_without_queries", better="neither"))
    figures += found[-1].transfer
    return (*figures, proportion("fidelity_of_one_class", most, n))


def _curves(found: list[Trial]) -> tuple[Curve, ...]:
    if len(found) < 2:
        return ()
    points = [trial.fidelity for trial in found]
    bands = [point.interval for point in points if point.interval is not None]
    line = Series(
        "fidelity",
        tuple(float(trial.queries) for trial in found),
        tuple(point.value for point in points),
        tuple(band.low for band in bands),
        tuple(band.high for band in bands),
    )
    title = f"Fidelity of a copy against queries, n={points[0].n}"
    return (Curve("fidelity_by_queries", title, "queries", "fidelity", (line,), x_log=True),)


def _low(figure: Measurement) -> float:
    return figure.interval.low if figure.interval is not None else figure.value


_STUDENTS = {"network": "a network of our own", "trees": "boosted trees of our own"}
_REMEDY = (
    "Nothing that a model answers truthfully keeps it from being copied; what helps is price and evidence: "
    "authenticate clients, limit their queries, watch for clients whose queries spread over the input space (PRADA, "
    "Juuti et al. 2019), and keep a fingerprint or watermark to prove a theft. Where the product allows it, return "
    "labels instead of scores."
)
