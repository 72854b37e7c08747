"""Poisoned rows: every detector, the combined verdict, and ART's detectors on the same networks in the same run."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
from art.defences.transformer.poisoning import STRIP
from art.estimators.classification import PyTorchClassifier
from torch import nn

from benchmarks.poison_worlds import PLOTS, Bench, Plot, bench, cell, poison, share, success
from gambeson.attacks.poisoning.pupil import answers
from gambeson.core.reproduce import Seed
from gambeson.defenses.poisoning.base import detectors
from gambeson.defenses.poisoning.sample_scan import SampleScan, ScanPlan, scan_rows
from gambeson.defenses.poisoning.strip import Strip

_ART = ("ART activation clustering", "ART spectral signatures", "ART STRIP")
_STRIP_ROWS = 200
"""Clean, and at most as many poisoned, rows that ART's STRIP judges: it takes them one by one."""


def poisoning_tables(*, quick: bool) -> list[str]:
    """One table for each dataset; none without the data."""
    rows, trusted = (1_500, 800) if quick else (5_000, 2_000)
    found = []
    for name, plots in PLOTS.items():
        world = bench(name, rows, trusted)
        if world is not None:
            chosen = plots[1:2] if quick else plots
            cells = [
                cell(f"poisoning {name} {plot.title}", quick, lambda w=world, p=plot: _cell(w, p))
                for plot in chosen
            ]
            found.append(_table(world, chosen, cells))
    return found


def _cell(world: Bench, plot: Plot) -> dict[str, Any]:
    """Counts of flagged poisoned and clean rows by detector, and CPU seconds."""
    attack, task, made = poison(world, plot)
    bad = np.zeros(len(made.y), bool)
    bad[made.changed] = True
    begun = time.process_time()
    scan = scan_rows((made.x, made.y), world.trusted, world.schema, ScanPlan(epochs=world.epochs), Seed(7))
    out: dict[str, Any] = {
        "bad": int(bad.sum()),
        "clean": int((~bad).sum()),
        "success": success(lambda x: answers(scan.inspection.module, x).argmax(1), world, attack, task),
        "combined": [*_counts(scan.verdict.flagged, bad), time.process_time() - begun],
    }
    for name in scan.verdict.names:
        begun = time.process_time()
        detectors[name].plugin().suspicion(scan.inspection)
        taken = time.process_time() - begun
        clean = np.sort(scan.clean[name])[::-1]
        out[name] = [*_counts(scan.suspicions[name] > clean[int(0.01 * len(clean))], bad), taken]
    return out | _art(world, scan, made.x, made.y, bad, plot.rate)


def _counts(flagged: np.ndarray, bad: np.ndarray) -> list[int]:
    return [int(flagged[bad].sum()), int(flagged[~bad].sum())]


def _art(
    world: Bench, scan: SampleScan, x: np.ndarray, y: np.ndarray, bad: np.ndarray, rate: float
) -> dict[str, Any]:
    module = scan.inspection.module
    classifier = PyTorchClassifier(
        module, nn.CrossEntropyLoss(), world.schema.shape, 10, clip_values=(0.0, 1.0), device_type="cpu"
    )
    one_hot = np.eye(10, dtype=np.float32)[y]

    def clustering() -> np.ndarray:
        defence = ActivationDefence(classifier, x, one_hot)
        return np.array(defence.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA")[1]) == 0

    def spectral() -> np.ndarray:
        defence = SpectralSignatureDefense(
            classifier, x, one_hot, expected_pp_poison=rate, batch_size=128, eps_multiplier=1.5
        )
        return np.array(defence.detect_poison()[1]) == 0

    out = {}
    for name, run in zip(_ART, (clustering, spectral), strict=False):
        begun = time.process_time()
        flagged = run()
        out[name] = [*_counts(flagged, bad), time.process_time() - begun]
    sure = nn.Sequential(
        module, nn.Softmax(dim=1), nn.Hardtanh(1e-7, 1.0)
    )  # it takes the logarithm of the answers
    tell = PyTorchClassifier(
        sure, nn.NLLLoss(), world.schema.shape, 10, clip_values=(0.0, 1.0), device_type="cpu"
    )
    out[_ART[2]] = _strip(tell, scan, x, bad)
    return out


def _strip(classifier: PyTorchClassifier, scan: SampleScan, x: np.ndarray, bad: np.ndarray) -> list[float]:
    """Flags among some poisoned and some clean rows, rows of each kind, CPU seconds a row of ART's and of ours."""
    guard = STRIP(classifier)(num_samples=20, false_acceptance_rate=0.01)
    guard.mitigate(scan.inspection.x_trusted[:_STRIP_ROWS])
    picked = np.concatenate([np.flatnonzero(bad)[:_STRIP_ROWS], np.flatnonzero(~bad)[:_STRIP_ROWS]])
    begun = time.process_time()
    flagged = np.concatenate([guard.predict(x[row : row + 1]) for row in picked]).sum(axis=1) == 0
    theirs = (time.process_time() - begun) / len(picked)
    begun = time.process_time()
    Strip(overlays=20).suspicion(scan.inspection)
    ours = (time.process_time() - begun) / len(scan.inspection.y)
    count = min(_STRIP_ROWS, int(bad.sum()))
    return [int(flagged[:count].sum()), int(flagged[count:].sum()), count, len(picked) - count, theirs, ours]


def _table(world: Bench, plots: tuple[Plot, ...], cells: list[dict[str, Any]]) -> str:
    names = ["combined", *(n for n in detectors.names() if n in cells[0]), *_ART]
    lines = [
        f"## Poisoned rows in {world.name}",
        "",
        f"{len(world.train[1]):,} training rows, class 0 wanted, {len(world.trusted[1]):,} trusted rows of which "
        "half are mixed in to calibrate; a network with two convolutions. Each cell: true positives, then false "
        "positives, of rows flagged at a stated false-positive rate of 1% (ours; each detector alone and the combined "
        "verdict) or as ART's defaults have it (spectral signatures are told the true rate; STRIP judges 200 rows of "
        "each kind).",
        "",
        "| | " + " | ".join(plot.title for plot in plots) + " |",
        "|---|" + "---|" * len(plots),
        "| attack success | " + " | ".join(_percent(c["success"]) for c in cells) + " |",
    ]
    lines += [f"| {name} | " + " | ".join(_rates(c, name) for c in cells) + " |" for name in names]
    lines += ["", "CPU seconds:", "", *lines[4:6]]
    lines += [f"| {name} | " + " | ".join(f"{c[name][2]:.1f}" for c in cells) + " |" for name in names[:-1]]
    lines += ["| STRIP, a row: ART / ours | " + " | ".join(_pace(c) for c in cells) + " |", ""]
    return "\n".join(lines)


def _rates(found: dict[str, Any], name: str) -> str:
    hits, wrong = found[name][:2]
    bad, clean = found[name][2:4] if name == _ART[2] else (found["bad"], found["clean"])
    return f"{share(hits, bad)}<br>{share(wrong, clean)}"


def _percent(value: float) -> str:
    return "" if value != value else f"{value:.1%}"


def _pace(found: dict[str, Any]) -> str:
    theirs, ours = found[_ART[2]][4:6]
    return f"{theirs * 1e3:.1f} ms / {ours * 1e3:.2f} ms = {theirs / ours:.0f} ×"
