"""The corruption check: how much accuracy is lost to noise, blur, weather and compression? No attack."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import torch

from gambeson.attacks.pictures.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from gambeson.attacks.randomness import SampleRandom
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_sets import Asked, ask_clean, reporting, require_pictures
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import (
    Bars,
    BarSeries,
    Curve,
    Evidence,
    Family,
    Finding,
    Outcome,
    Series,
    Severity,
    Table,
)
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import bootstrap, proportion
from gambeson.core.threat import Access

_KEPT_WELL, _KEPT_HALF = 0.8, 0.5


@checks.register(
    "evasion.corruption",
    CheckFacts(
        family=Family.EVASION,
        access=Access.LABELS,
        question="How much accuracy is left under noise, blur, weather and compression, with no attacker at all?",
        taxonomy=(),
        per_threat=False,
    ),
)
def evasion_corruption(context: CheckContext) -> list[Finding]:
    """Accuracy under eleven common corruptions at five severities: a natural shift, not an attack.

    Fails when the mean over kinds and severities is less than 80% of the clean accuracy (low), less than half
    (medium). The formulas are Gambeson's own: figures are not those of CIFAR-10-C.

    Raises:
        Unavailable: The data are no pictures.
        InsufficientEvidence: Too few samples, or no time for a single corruption.
        ModelError: The model answered with something unusable.
    """
    require_pictures(context, "Corruptions are defined")
    asked = ask_clean(context)
    kinds = [kind for kind in CORRUPTIONS if not kind.needs or find_spec(kind.needs) is not None]
    context.progress.start(context.check, len(asked.samples) * len(kinds) * len(SEVERITIES))
    stands = _stands(context, asked, kinds)
    if not len(stands):
        raise InsufficientEvidence(
            "Time ran out before one corruption was measured.", remedy="allow more time, or fewer samples"
        )
    missing = [f"{kind.name} was not measured: no Pillow" for kind in CORRUPTIONS if kind not in kinds]
    missing += [f"{kind.name} was not measured: time ran out" for kind in kinds[len(stands) :]]
    return [_finding(context, asked, kinds[: len(stands)], stands, tuple(missing))]


def _stands(context: CheckContext, asked: Asked, kinds: list[Corruption]) -> np.ndarray:
    """(kinds, severities, n) bool: who is classified correctly; only the kinds for which there was time."""
    schema, found = context.data.schema, []
    report = reporting(context, "corrupting")
    rng = SampleRandom(torch.from_numpy(context.seed.child("noise").keys(asked.samples.index)))
    for kind in kinds:
        if context.time_is_up:
            break
        row = []
        for severity in SEVERITIES:
            changed = corrupt(kind, severity, asked.samples.x, rng, (schema.low, schema.high))
            row.append(asked.passes.scores(changed.to(asked.passes.device)).argmax(1) == asked.y)
            report(len(asked.samples), 0)
        found.append(torch.stack(row).cpu().numpy())
    return np.stack(found) if found else np.zeros((0, len(SEVERITIES), len(asked.samples)), bool)


def _finding(
    context: CheckContext, asked: Asked, kinds: list[Corruption], stands: np.ndarray, cut: tuple[str, ...]
) -> Finding:
    info, n = checks[context.check].facts, len(asked.right)
    clean = proportion("clean_accuracy", int(asked.right.sum()), n, better="higher")
    seed = context.seed.child("bootstrap")
    mean = _mean("corruption_accuracy", stands.reshape(-1, n), seed)
    kept = mean.value / max(clean.value, 1e-9)
    outcome, severity = _judge(kept, finished=not cut)
    worst = kinds[int(stands.mean((1, 2)).argmin())].name
    target = f"{len(kinds)} corruptions at severities 1 to 5"
    return Finding(
        check=context.check,
        title=f"Accuracy falls from {clean.value:.1%} to {mean.value:.1%} under common corruptions",
        family=info.family,
        access=None,
        outcome=outcome,
        severity=severity,
        summary=(
            f"Of {n} pictures the model gets {clean.value:.1%} right; under {target} it gets {mean.value:.1%} right "
            f"on average, least under {worst}. Nobody attacks here: this is what an ordinary change of conditions "
            "costs."
        ),
        reason="time ran out before all kinds were measured" if outcome is Outcome.NOT_ASSESSED else "",
        remedy=_REMEDY if outcome is Outcome.FAILED else "",
        target="common corruptions",
        measurements=(mean, clean),
        evidence=Evidence(
            command=context.command,
            samples=n,
            method=f"{target}, seed {context.seed.value}",
            facts=(("pictures classified", str(stands.size)), ("worst kind", worst)),
            curves=(_by_severity(clean, stands, seed),),
            bars=(_by_kind(kinds, stands, seed),),
            tables=(_table(kinds, stands),),
        ),
        taxonomy=info.taxonomy,
        cut=cut,
    )


def _judge(kept: float, *, finished: bool) -> tuple[Outcome, Severity]:
    if kept >= _KEPT_WELL:
        return (Outcome.PASSED if finished else Outcome.NOT_ASSESSED), Severity.INFO
    return Outcome.FAILED, Severity.MEDIUM if kept < _KEPT_HALF else Severity.LOW


def _mean(name: str, stands: np.ndarray, seed: Seed) -> Measurement:
    """Mean of (conditions, n) answers; the interval resamples pictures, which all conditions share."""
    each = stands.mean(0)
    interval = bootstrap(each, lambda v: v.mean(-1), seed.child(name).generator(), resamples=1_000)
    return Measurement(name, float(each.mean()), "fraction", len(each), interval, "higher")


def _ends(figure: Measurement) -> Interval:
    assert figure.interval is not None
    return figure.interval


def _by_severity(clean: Measurement, stands: np.ndarray, seed: Seed) -> Curve:
    means = [_mean(f"severity {s}", stands[:, i], seed) for i, s in enumerate(SEVERITIES)]
    points = (clean, *means)
    series = Series(
        "mean over kinds",
        (0.0, *map(float, SEVERITIES)),
        tuple(p.value for p in points),
        tuple(_ends(p).low for p in points),
        tuple(_ends(p).high for p in points),
    )
    title = f"Accuracy against severity, {len(stands)} kinds, n={clean.n}"
    return Curve("accuracy_by_severity", title, "severity (0: as they are)", "accuracy", (series,))


def _by_kind(kinds: list[Corruption], stands: np.ndarray, seed: Seed) -> Bars:
    means = [_mean(kind.name, answers, seed) for kind, answers in zip(kinds, stands, strict=True)]
    bars = BarSeries(
        "mean over severities",
        tuple(m.value for m in means),
        tuple(_ends(m).low for m in means),
        tuple(_ends(m).high for m in means),
        tuple(m.n for m in means),
    )
    return Bars(
        kind="accuracy_by_corruption",
        title="Accuracy by corruption",
        x_label="corruption",
        y_label="accuracy",
        labels=tuple(kind.name for kind in kinds),
        series=(bars,),
    )


def _table(kinds: list[Corruption], stands: np.ndarray) -> Table:
    n = stands.shape[2]
    rows: list[tuple[str | int | float | None, ...]] = [
        (kind.name, *(float(a.mean()) for a in answers), float(answers.mean()))
        for kind, answers in zip(kinds, stands, strict=True)
    ]
    return Table(
        kind="corruptions",
        title="Accuracy by corruption and severity",
        head=("corruption", *(f"severity {s}" for s in SEVERITIES), "mean"),
        rows=tuple(rows),
        note=f"Each cell is measured on the same {n} pictures: its 95% interval is at most ±{0.98 / n**0.5:.2f}.",
    )


_REMEDY = (
    "Train with varied augmentation (AugMix, Hendrycks et al. 2020) that holds none of the corruptions measured here, "
    "and re-estimate batch statistics on pictures from the place of use."
)
