"""Evidence of evasion: exhibits, examples to look at, counts."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.attacks.robustness import Robustness
from gambeson.audit.base import CheckContext, checks
from gambeson.audit.checks.encoded_pictures import can_encode, encode_png
from gambeson.audit.checks.evasion_curve import ByRadius
from gambeson.audit.checks.evasion_exhibits import (
    accuracy_by_class,
    accuracy_by_passes,
    accuracy_by_queries,
    stages_compared,
)
from gambeson.core.finding import AdversarialExample, Evidence
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.passes import Passes

_EXAMPLES = 8


def evidence(context: CheckContext, result: Robustness, labels: list[str], by_radius: ByRadius) -> Evidence:
    """All that a robustness figure rests on.

    Args:
        context: Of the running check.
        result: The main measurement.
        labels: Of the stages that were planned.
        by_radius: The measurement over several radii.
    """
    schema, bought = context.data.schema, accuracy_by_passes(result)
    if checks[context.check].facts.access < Access.GRADIENT:
        bought = accuracy_by_queries(result)
    stages = stages_compared(result)
    return Evidence(
        command=context.command,
        samples=len(result.samples),
        method=" → ".join(labels) + f", seed {context.seed.value}",
        facts=facts(result, context.threat),
        curves=tuple(curve for curve in (by_radius.curve, bought) if curve is not None),
        examples=adversarial_examples(context, result),
        bars=(
            accuracy_by_class(result, schema.classes),
            *((by_radius.bars,) if by_radius.bars is not None else ()),
        ),
        tables=(stages,) if stages is not None else (),
    )


def facts(result: Robustness, threat: ThreatModel) -> tuple[tuple[str, str], ...]:
    """Counts that a reader needs to trust the figure."""
    found = result.outcome
    queries = found.queries[found.fallen]
    return (
        ("samples attacked", str(len(result.attacked))),
        *_broke(result),
        ("median queries until broken", f"{np.median(queries):.0f}" if len(queries) else "none broken"),
        ("queries spent in all", str(int(found.queries.sum()))),
        ("query budget per sample", str(threat.queries) if threat.queries else "none"),
        ("successes re-verified in float32", str(int(found.fallen.sum()))),
        ("claims refused on verification", str(sum(r.refuted for r in found.records))),
    )


def _broke(result: Robustness) -> list[tuple[str, str]]:
    """What a single attack broke; several have a table of their own."""
    records = result.outcome.records
    return (
        [(f"broken by {r.label}", f"{r.fell} of {r.tried} tried") for r in records]
        if len(records) < 2
        else []
    )


def adversarial_examples(context: CheckContext, result: Robustness) -> tuple[AdversarialExample, ...]:
    """The first few broken samples of a check's measurement."""
    passes = Passes(context.model, context.rows_per_pass)
    return choose_examples(passes, result, context.threat, context.data.schema)


def choose_examples(
    passes: Passes, result: Robustness, threat: ThreatModel, schema: Schema
) -> tuple[AdversarialExample, ...]:
    """The first few broken samples, one per true class before a second of any."""
    labels = result.samples.y.numpy()[result.attacked]
    rows = one_of_each_class(np.flatnonzero(result.outcome.fallen), labels)
    samples = result.samples.select(torch.from_numpy(result.attacked[rows]))
    return show_examples(passes, samples, torch.from_numpy(result.outcome.adversarial[rows]), threat, schema)


def show_examples(
    passes: Passes, samples: Samples, adversarial: torch.Tensor, threat: ThreatModel, schema: Schema
) -> tuple[AdversarialExample, ...]:
    """Samples beside their adversarial versions (n, *shape), row by row."""
    if not len(samples):
        return ()
    x, labels = samples.x, samples.y.tolist()
    before, after = (passes.scores(v.to(passes.device)).softmax(1).cpu() for v in (x, adversarial))
    sizes = PerturbationSet.of(threat, schema).around(x).size(adversarial)
    return tuple(
        AdversarialExample(
            index=int(samples.index[i]),
            label=schema.classes[labels[i]],
            before=schema.classes[int(before[i].argmax())],
            before_confidence=_rounded(before[i].max()),
            after=schema.classes[int(after[i].argmax())],
            after_confidence=_rounded(after[i].max()),
            distance=_rounded(sizes[i]),
            images=_pictures(x[i].numpy(), adversarial[i].numpy(), schema) if schema.is_image else (),
            changes=_changes(x[i].numpy(), adversarial[i].numpy(), schema.features),
        )
        for i in range(len(samples))
    )


def one_of_each_class(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The first few of ``rows``, one per true class before a second of any; in order.

    Args:
        rows: Ascending indices into ``labels``.
        labels: True classes.
    """
    rank = {int(row): int((labels[rows[:i]] == labels[row]).sum()) for i, row in enumerate(rows)}
    return np.array(sorted(sorted(rank, key=lambda row: (rank[row], row))[:_EXAMPLES]), np.int64)


def _rounded(value: torch.Tensor) -> float:
    return float(f"{float(value):.6g}")


def _changes(
    before: np.ndarray, after: np.ndarray, features: tuple[Feature, ...]
) -> tuple[tuple[str, str, str], ...]:
    """Changed features, the largest change relative to its range first."""
    a, b = before.reshape(-1), after.reshape(-1)
    rows = []
    for i, feature in enumerate(features):
        if a[i] != b[i]:
            named = feature.kind is Kind.CATEGORICAL  # first: a code's distance says nothing
            size = np.inf if named else abs(float(b[i] - a[i])) / max(feature.high - feature.low, 1e-9)
            rows.append((size, feature.name, _shown(a[i], feature), _shown(b[i], feature)))
    rows.sort(key=lambda row: -row[0])
    return tuple((name, old, new) for _, name, old, new in rows)


def _shown(value: float, feature: Feature) -> str:
    """A value as a reader of the table knows it: a category by its name."""
    if feature.kind is Kind.CATEGORICAL:
        return feature.categories[int(value)]
    return f"{value:.0f}" if feature.kind is Kind.INTEGER else f"{value:.5g}"


def _pictures(before: np.ndarray, after: np.ndarray, schema: Schema) -> tuple[str, ...]:
    """Original, perturbation (centred on grey, stretched to full contrast), adversarial: base64 PNG.

    Without Pillow there are no pictures: the figures do not depend on them.
    """
    if not can_encode():
        return ()
    width = schema.high - schema.low
    change = after - before
    stretch = max(float(np.abs(change).max()), 1e-12)
    shown = ((before - schema.low) / width, change / stretch / 2 + 0.5, (after - schema.low) / width)
    return tuple(encode_png(picture) for picture in shown)
