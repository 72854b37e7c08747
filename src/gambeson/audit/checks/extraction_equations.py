"""The equation-solving check: can the model be computed from a handful of answers?"""

from __future__ import annotations

import math

import numpy as np
import torch

from gambeson.attacks.extraction.equation_solving import Linear, solve
from gambeson.attacks.extraction.readings import Precision, read
from gambeson.attacks.robustness import choose_samples
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.data.schema import Kind
from gambeson.models.passes import Passes

_MOST_FEATURES = 20_000
_EXACT = 0.01
"""Largest error of a log-odds, in nats, at which the model counts as computed; ten times as much through rounding."""


@checks.register(
    "extraction.equations",
    CheckFacts(
        family=Family.EXTRACTION,
        access=Access.SCORES,
        question="Can the model be computed from a few of its scores?",
        taxonomy=("atlas:AML.T0024.002", "nist:NISTAML.031", "owasp-ml:ML05:2023"),
        cost=0.5,
        per_threat=False,
    ),
)
def extraction_equations(context: CheckContext) -> list[Finding]:
    """Solves for the weights of a linear model, and looks whether it answers as the model does.

    Fails, high, when its log-odds between classes differ from the model's by at most 0.01 on every audited input: then
    the model was computed, not approximated. Where answers are rounded or cut to the likeliest classes, more inputs are
    asked about, and 0.1 beyond what the rounding hides is enough.

    Raises:
        Unavailable: Features are categories or whole numbers, which equations cannot step along, or too many.
        ModelError: The model answered with something unusable.
    """
    schema, passes = context.data.schema, Passes(context.model, context.rows_per_pass)
    whole = [f.name for f in schema.features if f.kind is not Kind.NUMERIC]
    if whole or math.prod(schema.shape) > _MOST_FEATURES:
        raise Unavailable(
            f"Equation solving steps along each feature; {whole[0]!r} has no values in between."
            if whole
            else f"Equation solving asks once for each feature; there are {math.prod(schema.shape)}.",
            expected=f"at most {_MOST_FEATURES} numeric features",
        )
    samples = choose_samples(
        context.data.split(context.split), context.effort.samples, Seed(context.seed.value).child("samples")
    )
    low, high = schema.bounds()
    context.progress.start(context.check, 1)

    def answer(x: np.ndarray) -> np.ndarray:
        return passes.scores(torch.from_numpy(x).to(passes.device)).cpu().numpy()

    given = context.model.info.scores == "probabilities"
    computed = solve(answer, low, high, probabilities=given, seed=context.seed)
    x = samples.x.numpy()
    theirs, ours = answer(x), computed.logits(x)
    context.progress.advance(context.check, 1, f"{computed.queries} queries")
    error = _beyond_rounding(ours, theirs, computed.precision)
    same = proportion("fidelity", int((theirs.argmax(1) == ours.argmax(1)).sum()), len(x), better="lower")
    return [_finding(context, computed, error, same)]


def _beyond_rounding(ours: np.ndarray, theirs: np.ndarray, precision: Precision) -> float:
    """Largest difference of a log-odds, in nats, that the rounding of the answers does not explain."""
    reading = read(theirs, precision)
    best = reading.middle.argmax(1)[:, None]
    odds = reading.middle - np.take_along_axis(reading.middle, best, 1)
    room = reading.half + np.take_along_axis(reading.half, best, 1)
    apart = np.abs(ours - np.take_along_axis(ours, best, 1) - odds)
    return (
        float(np.maximum(apart - room, 0).max()) if precision.decimals else float(apart[room < np.inf].max())
    )


def _finding(context: CheckContext, computed: Linear, error: float, same: Measurement) -> Finding:
    info, exact = checks[context.check].facts, error <= _EXACT * (1 if computed.precision.exact else 10)
    title = (
        f"{computed.queries} answers are enough to compute the model"
        if exact
        else "The model is no linear function"
    )
    return Finding(
        check=context.check,
        title=title,
        family=info.family,
        access=info.access,
        outcome=Outcome.FAILED if exact else Outcome.PASSED,
        severity=Severity.HIGH if exact else Severity.INFO,
        summary=(
            f"The linear model that {computed.queries} answers determine gives the class of the model to "
            f"{same.value:.1%} of {same.n} inputs; its log-odds are wrong by at most {error:.2g}."
        ),
        remedy=_REMEDY if exact else "",
        measurements=(
            same,
            Measurement("largest_log_odds_error", error, "nats", same.n, better="higher"),
            Measurement("queries", float(computed.queries), "queries", computed.queries, better="higher"),
        ),
        evidence=Evidence(
            command=context.command,
            samples=same.n,
            method="equation solving, one query more than there are features"
            if computed.precision.exact
            else "equation solving at inputs where rounding hides least",
            facts=(("answers", str(computed.precision)), *(_bounds(computed) if exact else ())),
        ),
        taxonomy=info.taxonomy,
    )


def _bounds(computed: Linear) -> tuple[tuple[str, str], ...]:
    """How far the parameters can be off, which says something where the model is linear."""
    return (
        ("error of any parameter at most", f"{computed.certain:.2g}"),
        ("with probability 0.99, if roundings are independent, at most", f"{computed.likely:.2g}"),
    )


_REMEDY = (
    "Whoever may ask for scores owns this model: treat it as published. Return labels or coarsely rounded scores, and "
    "limit queries per client, where its weights are worth something."
)
