"""Extraction checks: how like the model is a copy that is trained on its answers, for how many queries?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from gambeson.attacks.extraction.distillation import classes_of, distil
from gambeson.attacks.robustness import choose_samples
from gambeson.attacks.surrogate import train_surrogate
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.attacker_inputs import own_inputs
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Curve, Evidence, Family, Finding, Outcome, Series, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_BUDGETS = (500, 2_000, 8_000)
"""Answers that the copy is trained on; how many of the budgets are tried grows with the profile."""
_UPDATES_PER_STEP = 20
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
    """A network distilled from labels, at growing numbers of queries.

    The attacker holds inputs like those that the model was made for (the training split where there is one). Fidelity
    is the share of audited inputs to which the copy gives the model's own answer, right or wrong. Fails, low, when its
    lower 95% bound at the largest number of queries is above 0.8, medium above 0.9 where true labels do not do as well.

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


@dataclass(frozen=True, slots=True)
class _Trial:
    """One copy: answers it was trained on, and on each audited input whether it agrees and whether it is right."""

    queries: int
    agrees: np.ndarray
    right: np.ndarray

    @property
    def fidelity(self) -> Measurement:
        name = f"fidelity_at_{self.queries}_queries"
        return proportion(name, int(self.agrees.sum()), len(self.agrees), better="lower")

    @property
    def accuracy(self) -> Measurement:
        name = f"accuracy_of_copy_at_{self.queries}_queries"
        return proportion(name, int(self.right.sum()), len(self.right), better="lower")


class _Thief:
    """Trains copies on what an attacker holds and compares them with the model on the audited samples."""

    def __init__(self, context: CheckContext) -> None:
        self.context, self.passes = context, Passes(context.model, context.rows_per_pass)
        seed = Seed(context.seed.value).child("samples")
        self.samples = choose_samples(context.data.split(context.split), context.effort.samples, seed)
        self.said = classes_of(self.passes, self.samples.x)
        self.access = checks[context.check].facts.access
        self.updates = context.effort.steps * _UPDATES_PER_STEP
        wanted = _BUDGETS[: 1 + sum(context.effort.steps > least for least in (20, 50))]
        self.x, self.y, self.source = own_inputs(context, self.samples.index, wanted[-1])
        self.budgets = sorted({min(budget, len(self.x)) for budget in wanted})

    def trials(self) -> Iterator[_Trial]:
        """A copy for each budget until time runs out."""
        self.context.progress.start(self.context.check, len(self.budgets) + 1)
        for queries in self.budgets:
            if self.context.time_is_up:
                return
            yield self._kept(str(queries), queries, partial(self._copy, queries))

    def with_true_labels(self) -> _Trial | None:
        """The baseline: the same network trained on the true labels of as many inputs, which costs no query."""
        if self.context.time_is_up:
            return None
        queries = self.budgets[-1]
        return self._kept("true labels", queries, partial(self._without_queries, queries))

    def _copy(self, queries: int) -> Passes:
        schema, seed = self.context.data.schema, self.context.seed.child(str(queries)).integer()
        copy = distil(
            self.passes, self.x, schema, self.access, queries=queries, updates=self.updates, seed=seed
        )
        return Passes(copy.model, self.context.rows_per_pass)

    def _without_queries(self, rows: int) -> Passes:
        schema, classes = self.context.data.schema, self.context.model.info.classes
        seed = self.context.seed.child("true labels").integer()
        made = train_surrogate(self.x[:rows], self.y[:rows], schema, classes, updates=self.updates, seed=seed)
        return Passes(made, self.context.rows_per_pass)

    def _kept(self, name: str, queries: int, make: Callable[[], Passes]) -> _Trial:
        """A trial from the journal, or made now and kept there."""
        key = f"{self.context.check}/{name}"
        stored = self.context.journal.load(key)
        if stored is None:
            copy = make()
            said = classes_of(copy, self.samples.x)
            stored = {"agrees": (said == self.said).numpy(), "right": (said == self.samples.y).numpy()}
            self.context.journal.save(key, stored)
        self.context.progress.advance(self.context.check, 1, f"{queries} queries")
        return _Trial(queries, stored["agrees"], stored["right"])


def _measure(context: CheckContext) -> Finding:
    thief = _Thief(context)
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
            method=f"distillation into a network of our own, seed {context.seed.value}",
            facts=(("inputs of the attacker", f"{len(thief.x)} from {thief.source}"),),
            curves=_curves(found),
        ),
        taxonomy=info.taxonomy,
        cut=cut,
    )


def _severity(best: Measurement, baseline: _Trial | None) -> Severity:
    """By fidelity; low at most where true labels, which cost no query, give as good a copy."""
    severity = next((s for least, s in _ALIKE if _low(best) > least), Severity.INFO)
    as_good = baseline is not None and baseline.fidelity.value >= _low(best)
    return min(severity, Severity.LOW, key=lambda s: s.rank) if as_good else severity


def _summary(thief: _Thief, found: list[_Trial], baseline: _Trial | None) -> str:
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


def _figures(thief: _Thief, found: list[_Trial], baseline: _Trial | None) -> tuple[Measurement, ...]:
    n, most = len(thief.said), int(torch.bincount(thief.said).max())
    figures = [trial.fidelity for trial in reversed(found)] + [trial.accuracy for trial in reversed(found)]
    if baseline is not None:
        figures.append(replace(baseline.fidelity, name="fidelity_without_queries", better="neither"))
    return (*figures, proportion("fidelity_of_one_class", most, n))


def _curves(found: list[_Trial]) -> tuple[Curve, ...]:
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


_REMEDY = (
    "Nothing that a model answers truthfully keeps it from being copied; what helps is price and evidence: "
    "authenticate clients, limit their queries, watch for clients whose queries spread over the input space (PRADA, "
    "Juuti et al. 2019), and keep a fingerprint or watermark to prove a theft. Where the product allows it, return "
    "labels instead of scores."
)
