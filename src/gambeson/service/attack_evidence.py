"""From what an attack left to its figures and exhibits."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.anytime import still_falling
from gambeson.attacks.ensemble import Stage, StageRecord
from gambeson.attacks.robustness import Robustness
from gambeson.audit.checks.evasion_evidence import choose_examples, facts
from gambeson.audit.checks.evasion_exhibits import (
    accuracy_by_class,
    accuracy_by_distance,
    accuracy_by_passes,
    accuracy_by_queries,
    distance_by_class,
    distance_histogram,
    stages_compared,
)
from gambeson.core.finding import Bars, Curve, Evidence
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import bootstrap, proportion
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_report import AttackReport


def attack_report(
    command: AttackCommand,
    name: str,
    stages: list[Stage],
    found: Robustness,
    passes: Passes,
    schema: Schema,
) -> AttackReport:
    """All that is told of one attack.

    Args:
        command: What was asked for.
        name: Of the attack.
        stages: That were planned.
        found: What it left.
        passes: The model, for the confidences of the examples.
        schema: Of the data.
    """
    records = found.outcome.records
    return AttackReport(
        attack=name,
        threat=threat_in_words(command),
        measurements=_measure(command, found),
        stages=records,
        evidence=_evidence(command, stages, found, passes, schema),
        cut=tuple(_cut(record) for record in records if record.unfinished),
    )


def threat_in_words(command: AttackCommand) -> str:
    """The attacker; without a radius where the nearest input is looked for."""
    threat = command.threat
    return f"{threat.norm}, nearest, {threat.access} access" if command.nearest else str(threat)


def median_figure(name: str, values: np.ndarray, unit: str, seed: Seed) -> Measurement:
    """A median with its bootstrap interval."""
    interval = bootstrap(values, _along_rows, seed.child(name).generator()) if len(values) > 1 else None
    return Measurement(name, float(np.median(values)), unit, len(values), interval, better="higher")


def _along_rows(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(values, axis=-1))


def _measure(command: AttackCommand, found: Robustness) -> tuple[Measurement, ...]:
    """Rates with Wilson's interval, medians with a bootstrap interval."""
    outcome, seed = found.outcome, Seed(command.seed).child("bootstrap")
    hit = outcome.fallen
    figures = [found.clean_accuracy]
    if command.nearest and len(hit):
        figures.append(proportion("attack_success_rate", int(hit.sum()), len(hit), better="lower"))
    elif not command.nearest:
        figures.append(found.robust_accuracy)
    if hit.any():
        distances = outcome.distance[hit]
        figures.append(median_figure("median_distance", distances, str(command.threat.norm), seed))
        spent = outcome.queries[hit].astype(float)
        figures.append(median_figure("median_queries", spent, "queries", seed))
    rate = None if command.nearest else still_falling(found)
    return (*figures, rate) if rate is not None else tuple(figures)


def _evidence(
    command: AttackCommand, stages: list[Stage], found: Robustness, passes: Passes, schema: Schema
) -> Evidence:
    norm = str(command.threat.norm)
    near = command.nearest or all(item.facts.minimum_norm for item in stages)
    histogram = distance_histogram(found, norm) if near else None
    table = stages_compared(found)
    method = " → ".join(item.label for item in stages)
    return Evidence(
        samples=len(found.samples),
        method=f"{method}, seed {command.seed}",
        facts=facts(found, command.threat),
        curves=tuple(c for c in _curves(command, stages, found, norm) if c is not None),
        examples=choose_examples(passes, found, command.threat, schema),
        bars=_bars(command, found, schema, norm),
        histograms=(histogram,) if histogram is not None else (),
        tables=(table,) if table is not None else (),
    )


def _curves(
    command: AttackCommand, stages: list[Stage], found: Robustness, norm: str
) -> tuple[Curve | None, ...]:
    if command.nearest:
        return (accuracy_by_distance([("robust accuracy (upper bound)", found)], norm),)
    if len(stages) == 1 and stages[0].facts.access < Access.GRADIENT:
        return (accuracy_by_queries(found),)
    return (accuracy_by_passes(found),)


def _bars(command: AttackCommand, found: Robustness, schema: Schema, norm: str) -> tuple[Bars, ...]:
    if not command.nearest:
        return (accuracy_by_class(found, schema.classes),)
    bars = distance_by_class(found, schema.classes, norm)
    return (bars,) if bars is not None else ()


def _cut(record: StageRecord) -> str:
    if record.unfinished == record.tried:
        return f"{record.label} did not run to its end on any of {record.tried} inputs"
    return f"{record.label} was stopped on {record.unfinished} of {record.tried} inputs"
