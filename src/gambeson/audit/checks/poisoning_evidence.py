"""Exhibits of poisoning: which rows look wrong and why, and the triggers that were reconstructed."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gambeson.audit.checks.encoded_pictures import can_encode, encode_png
from gambeson.core.finding import Histogram, Mark, PictureGrid, Table
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.model_scan import ModelScan
from gambeson.defenses.poisoning.projecting import principal
from gambeson.defenses.poisoning.sample_scan import SampleScan

_BINS = 40
_SHOWN = 12
_COLUMNS = 6
_INPUTS = 3


def evidence_histogram(scan: SampleScan) -> Histogram:
    """How suspicious the rows are, with the place from which on they are flagged."""
    values = scan.verdict.evidence
    flagged = values[scan.verdict.flagged]
    marks = (Mark("flagged from here", float(flagged.min())),) if len(flagged) else ()
    return _histogram(
        values, "suspicion", "Combined suspicion of the training rows", "suspicion in nats", marks
    )


def signature_histogram(scan: SampleScan, schema: Schema) -> Histogram | None:
    """Rows of the class with most flags along the features' first component; ``None`` where none is flagged."""
    flags = scan.verdict.flagged
    if not flags.any():
        return None
    y = scan.inspection.y[: len(flags)]
    label = Counter(y[flags].tolist()).most_common(1)[0][0]
    rows = np.flatnonzero(y == label)
    values = principal(scan.inspection.features[rows], 1)[:, 0]
    values = values * (1 if values[flags[rows]].mean() >= 0 else -1)
    marks = (Mark("median of flagged rows", float(np.median(values[flags[rows]]))),)
    title = f"Spectral signature of class {schema.classes[label]}"
    return _histogram(values, "spectral", title, "coordinate along the first principal component", marks)


def detector_table(scan: SampleScan) -> Table:
    """What each detector alone flags at the same rate of false alarms, and for how many flagged rows it leads."""
    leads = Counter(scan.verdict.leading[scan.verdict.flagged].tolist())
    rows: list[tuple[str | int | float | None, ...]] = []
    for place, name in enumerate(scan.verdict.names):
        clean = np.sort(scan.clean[name])[::-1]
        threshold = clean[int(scan.verdict.alpha * len(clean))]
        rows.append((name, int((scan.suspicions[name] > threshold).sum()), leads.get(place, 0)))
    return Table(
        kind="detectors",
        title="What each detector says",
        head=(
            "detector",
            f"rows above its {1 - scan.verdict.alpha:.0%} point of clean rows",
            "leads the verdict for",
        ),
        rows=tuple(rows),
        note="A clean set of this size gives about "
        f"{scan.verdict.alpha * len(scan.verdict.p):.0f} such rows to every detector.",
    )


def class_table(scan: SampleScan, schema: Schema) -> Table:
    """Flags by class."""
    y, flags = scan.inspection.y[: len(scan.verdict.p)], scan.verdict.flagged
    rows = tuple(
        (name, int((y == label).sum()), int(flags[y == label].sum()))
        for label, name in enumerate(schema.classes)
    )
    return Table("flags_by_class", "Flagged rows by class", ("class", "rows", "flagged"), rows)


def suspicious_grid(scan: SampleScan, schema: Schema) -> PictureGrid | None:
    """The most suspicious pictures; ``None`` where rows are no pictures or cannot be drawn."""
    if not (schema.is_image and can_encode()) or not scan.verdict.flagged.any():
        return None
    order = np.argsort(-scan.verdict.evidence, kind="stable")
    order = order[scan.verdict.flagged[order]][:_SHOWN]
    order = order[: max(_COLUMNS, len(order) // _COLUMNS * _COLUMNS)]
    pictures = [encode_png(as_picture(scan.inspection.x[row], schema), 64) for row in order]
    width = min(_COLUMNS, len(pictures))
    lines = [tuple(pictures[i : i + width]) for i in range(0, len(pictures), width)]
    lines = [line for line in lines if len(line) == width]
    named = [
        ", ".join(
            f"{row} ({schema.classes[scan.inspection.y[row]]})" for row in order[i * width : (i + 1) * width]
        )
        for i in range(len(lines))
    ]
    return PictureGrid(
        "suspicious",
        "Most suspicious training rows",
        tuple(str(k + 1) for k in range(width)),
        tuple(named),
        tuple(lines),
        "Row numbers with their labels on the left.",
    )


def trigger_grid(scan: ModelScan, x: np.ndarray, schema: Schema) -> PictureGrid | None:
    """The reconstructed trigger of the suspected class beside that of the others' median, and inputs that carry it."""
    if not (schema.is_image and can_encode()):
        return None
    sizes = scan.triggers.sizes
    usual = int(np.argsort(sizes)[len(sizes) // 2])
    lines = []
    for label in dict.fromkeys((scan.label, scan.patch.label, usual)):
        mask = np.broadcast_to(scan.triggers.masks[label], schema.shape)
        change = scan.shortcuts.changes[label]
        span = np.abs(change).max() + 1e-12
        stamped = scan.triggers.stamp(x[:_INPUTS], label)
        cells = [mask, as_picture(scan.triggers.patterns[label], schema) * mask, 0.5 + change / (2 * span)]
        cells += [as_picture(row, schema) for row in stamped]
        lines.append((label, tuple(encode_png(np.asarray(cell, np.float32), 96) for cell in cells)))
    return PictureGrid(
        "triggers",
        "Reconstructed triggers",
        ("mask", "patch", "perturbation", *(f"input {i + 1} with it" for i in range(min(_INPUTS, len(x))))),
        tuple(f"class {schema.classes[label]}, size {sizes[label]:.1f}" for label, _ in lines),
        tuple(line for _, line in lines),
        "The suspected class first, a class of usual size last. The perturbation is centred on grey and stretched.",
    )


def tests_table(scan: ModelScan, schema: Schema) -> Table:
    """The statistics of the three tests by class."""
    rows = tuple(
        (
            name,
            float(scan.triggers.sizes[label]),
            float(np.exp(scan.margin.values[label])),
            float(scan.shortcuts.sizes[label]),
        )
        for label, name in enumerate(schema.classes)
    )
    return Table(
        "backdoor_tests",
        "What each class needs",
        (
            "class",
            "size of the smallest patch",
            "largest margin (logits)",
            "smallest universal perturbation (rms)",
        ),
        rows,
        "A backdoor makes its class unusually easy to reach: a small patch or perturbation, or an unusual margin.",
    )


def as_picture(x: np.ndarray, schema: Schema) -> np.ndarray:
    """(C, H, W) in [0, 1] of a row in input units."""
    low, high = schema.bounds()
    return np.asarray((x - low) / np.maximum(high - low, 1e-12), np.float32)


def _histogram(values: np.ndarray, kind: str, title: str, label: str, marks: tuple[Mark, ...]) -> Histogram:
    counts, edges = np.histogram(values, _BINS)
    return Histogram(kind, title, label, "rows", tuple(map(float, edges)), tuple(map(int, counts)), marks)
