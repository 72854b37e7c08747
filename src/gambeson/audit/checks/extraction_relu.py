"""The ReLU check: can a network with one hidden layer be computed from its scores?"""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.equation_solving import centred
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.readings import detect
from gambeson.attacks.extraction.relu_layers import recover_layer
from gambeson.attacks.robustness import choose_samples
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.errors import BudgetExhausted, InsufficientEvidence, Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.data.schema import Kind
from gambeson.models.passes import Passes

_QUERIES = 50
"""Budget for each query per sample of the profile: 25,000, 100,000, 250,000."""
_MOST_FEATURES = 200
_EXACT = 0.01
"""Largest error of a log-odds, in nats, at which the network counts as computed."""


@checks.register(
    "extraction.relu",
    CheckFacts(
        family=Family.EXTRACTION,
        access=Access.SCORES,
        question="Can the model be computed from its scores as a network with one hidden layer?",
        taxonomy=("atlas:AML.T0024.002", "nist:NISTAML.031", "owasp-ml:ML05:2023"),
        cost=0.5,
        per_threat=False,
    ),
)
def extraction_relu(context: CheckContext) -> list[Finding]:
    """Looks for the bends of one layer of ReLU units along lines, and computes the units from them.

    Fails, high, when the computed network's log-odds differ from the model's by at most 0.01 on every audited input.

    Raises:
        Unavailable: Features are categories, whole numbers or too many; answers are rounded; or lines through the
            inputs show no bends between straight pieces, because the model is linear, smooth or deep.
        InsufficientEvidence: The budget ended before all units were found.
        ModelError: The model answered with something unusable.
    """
    schema = context.data.schema
    low, high = (bound.reshape(-1).astype(np.float64) for bound in schema.bounds())
    moving = np.flatnonzero(high > low)
    if any(f.kind is not Kind.NUMERIC for f in schema.features) or not 1 < len(moving) <= _MOST_FEATURES:
        raise Unavailable(
            f"Bends are looked for along {len(moving)} features of {context.data.name}.",
            expected=f"2 to {_MOST_FEATURES} features, all numeric",
        )
    samples = choose_samples(
        context.data.split(context.split), context.effort.samples, Seed(context.seed.value).child("samples")
    )
    budget = context.effort.queries * _QUERIES
    purse = Purse(
        Passes(context.model, context.rows_per_pass),
        Access.SCORES,
        budget=budget,
        journal=context.journal,
        key=f"{context.check}/answers",
        stop=lambda: context.time_is_up,
    )
    context.progress.start(context.check, budget)
    middle, reach = (low + high) / 2, (high - low) / 2

    def ask(z: np.ndarray) -> np.ndarray:
        x = np.tile(middle, (len(z), 1))
        x[:, moving] += z * reach[moving]
        context.progress.advance(context.check, len(z), f"{purse.spent} queries")
        return centred(purse.logits(torch.from_numpy(x.astype(np.float32).reshape(-1, *schema.shape))))

    x = samples.x.numpy()
    theirs = purse.logits(samples.x)
    if not detect(theirs, probabilities=context.model.info.scores == "probabilities").exact:
        raise Unavailable("Answers are rounded or cut, which hides bends.", expected="scores in float32")
    try:
        layer = recover_layer(ask, len(moving), seed=context.seed)
    except BudgetExhausted as spent:
        raise InsufficientEvidence(
            f"{purse.spent} queries did not find all hidden units.",
            remedy="allow more time, or choose a more thorough profile",
        ) from spent
    finally:
        purse.flush()
    ours = layer.logits((x.reshape(len(x), -1)[:, moving] - middle[moving]) / reach[moving])
    error = float(np.ptp(ours - centred(theirs), axis=1).max())
    same = proportion("fidelity", int((theirs.argmax(1) == ours.argmax(1)).sum()), len(x), better="lower")
    return [_finding(context, purse.spent, len(layer.normals), (error, same))]


def _finding(context: CheckContext, queries: int, units: int, found: tuple[float, Measurement]) -> Finding:
    info, (error, same) = checks[context.check].facts, found
    exact = error <= _EXACT
    return Finding(
        check=context.check,
        title=f"{queries} answers are enough to compute the network"
        if exact
        else "The model is no network with one hidden layer",
        family=info.family,
        access=info.access,
        outcome=Outcome.FAILED if exact else Outcome.PASSED,
        severity=Severity.HIGH if exact else Severity.INFO,
        summary=(
            f"A network of {units} ReLU units that {queries} answers determine gives the class of the model to "
            f"{same.value:.1%} of {same.n} inputs; its log-odds are wrong by at most {error:.2g}."
        ),
        remedy=_REMEDY if exact else "",
        measurements=(
            same,
            Measurement("largest_log_odds_error", error, "nats", same.n, better="higher"),
            Measurement("units", float(units), "units", units),
            Measurement("queries", float(queries), "queries", queries, better="higher"),
        ),
        evidence=Evidence(
            command=context.command,
            samples=same.n,
            method=f"bends along random lines, hyperplanes through them, regression; seed {context.seed.value}",
        ),
        taxonomy=info.taxonomy,
    )


_REMEDY = (
    "Whoever may ask for exact scores owns this network: treat it as published. Return labels or rounded scores, and "
    "limit queries per client, where its weights are worth something."
)
