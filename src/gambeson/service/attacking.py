"""The use-case of one attack by name: run it, measure what is left, keep the adversarial examples."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.base import evasion
from gambeson.attacks.ensemble import Stage, StageRecord, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.protocols import PROTOCOLS
from gambeson.attacks.robustness import Robustness, choose_samples, measure_robustness, require
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.core.stats import bootstrap
from gambeson.core.threat import ThreatModel
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.models.loading import open_model
from gambeson.models.model import Model
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class AttackCommand:
    """One attack on one model.

    Attributes:
        attack: Registered name, or that of an ensemble: ``autoattack`` or ``strongest``.
        model: Path or URI.
        data: Path or URI.
        parameters: Of the attack, by name.
        threat: The attacker; its radius does not count for ``nearest``.
        nearest: Look for the nearest adversarial input instead of any within the radius.
        factory, scores, classes, data_options, split: As for an audit.
        samples: Rows to attack.
        seed: Root of the seed tree.
        batch_size: Samples per model pass; never changes a result.
        out: Folder for ``attack.json`` and ``adversarial.npz``, or ``None``.
    """

    attack: str
    model: str
    data: str
    parameters: tuple[tuple[str, object], ...] = ()
    threat: ThreatModel = field(default_factory=ThreatModel)
    nearest: bool = False
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    samples: int = 500
    seed: int = 0
    batch_size: int = 64
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class AttackReport:
    """What one attack found.

    Attributes:
        attack: Its name.
        threat: The attacker, in words.
        measurements: Clean accuracy, robust accuracy (or success), median distance, median queries.
        stages: What each stage of an ensemble did; one for a single attack.
    """

    attack: str
    threat: str
    measurements: tuple[Measurement, ...]
    stages: tuple[StageRecord, ...]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def run_one_attack(command: AttackCommand, progress: Progress) -> AttackReport:
    """Attack a model with one attack.

    Args:
        command: What to attack and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Unavailable: The attack does not fit the model, the norm or the access granted.
        ModelError: The model does not answer, or answers with NaN.
    """
    if command.samples < 1:
        raise UsageError(f"{command.samples} samples were asked for.", expected="at least 1")
    if command.batch_size < 1:
        raise UsageError(f"The batch size is {command.batch_size}.", expected="at least 1")
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    model = open_model(
        command.model,
        schema=data.schema,
        factory=command.factory,
        scores=command.scores,
        classes=command.classes,
    )
    space = PerturbationSet.of(command.threat, data.schema)
    stages = _stages(command, model)
    root = Seed(command.seed)
    samples = choose_samples(data.split(command.split), command.samples, root.child("samples"))
    progress.start(command.attack, len(samples) * sum(item.attack.length for item in stages))
    found = measure_robustness(
        stages,
        Passes(model, command.batch_size),
        samples,
        space.with_eps(float("inf")) if command.nearest else space,
        budget=command.threat.queries,
        run=Run(root.child("evasion"), report=_report(progress, command.attack), donors=samples.x),
    )
    progress.finish(command.attack, f"{int(found.outcome.fallen.sum())} of {len(found.attacked)} broken")
    report = AttackReport(command.attack, _threat(command), _measure(command, found), found.outcome.records)
    if command.out is not None:
        _write(command.out, report, found)
    return report


def _stages(command: AttackCommand, model: Model) -> list[Stage]:
    if command.attack in PROTOCOLS:
        if command.nearest or command.parameters:
            raise UsageError(
                f"{command.attack} takes neither parameters nor --nearest.", remedy="name one attack instead"
            )
        stages = PROTOCOLS[command.attack](command.threat.norm, model.info.classes)
    else:
        _known(command.attack)
        stages = [stage(command.attack, command.attack, **dict(command.parameters))]
    for item in stages:
        require(item, model, command.threat)
        if command.nearest and not item.facts.minimum_norm:
            nearest = ", ".join(e.name for e in evasion if e.facts.minimum_norm)
            raise Unavailable(
                f"{item.label} breaks inputs within a radius; it does not look for the nearest.",
                expected=nearest,
            )
    return stages


def _known(name: str) -> None:
    if name not in evasion:
        known = ", ".join([*evasion.names(), *PROTOCOLS])
        raise UsageError(f"Unknown attack {name!r}.", expected=known)


def _report(progress: Progress, name: str) -> Callable[[int, int], None]:
    broken = 0

    def report(work: int, fallen: int) -> None:
        nonlocal broken
        broken += fallen
        progress.advance(name, work, f"{broken} broken")

    return report


def _threat(command: AttackCommand) -> str:
    threat = command.threat
    return f"{threat.norm}, nearest, {threat.access} access" if command.nearest else str(threat)


def _measure(command: AttackCommand, found: Robustness) -> tuple[Measurement, ...]:
    """Rates with Wilson's interval, medians with a bootstrap interval."""
    outcome, seed = found.outcome, Seed(command.seed).child("bootstrap")
    hit = outcome.fallen
    figures = [found.clean_accuracy]
    if not command.nearest:
        figures.append(found.robust_accuracy)
    if hit.any():
        figures.append(_median("median_distance", outcome.distance[hit], str(command.threat.norm), seed))
        figures.append(_median("median_queries", outcome.queries[hit].astype(float), "queries", seed))
    return tuple(figures)


def _median(name: str, values: np.ndarray, unit: str, seed: Seed) -> Measurement:
    interval = bootstrap(values, _along_rows, seed.child(name).generator()) if len(values) > 1 else None
    return Measurement(name, float(np.median(values)), unit, len(values), interval, better="higher")


def _along_rows(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(values, axis=-1))


def _write(folder: Path, report: AttackReport, found: Robustness) -> None:
    """``attack.json``, and every attacked row with what was found in ``adversarial.npz``."""
    arrays: dict[str, Any] = {
        "index": found.samples.index[found.attacked],
        "x": found.samples.x.numpy()[found.attacked],
        "y": found.samples.y.numpy()[found.attacked],
        "x_adversarial": found.outcome.adversarial,
        "fallen": found.outcome.fallen,
        "distance": found.outcome.distance,
        "queries": found.outcome.queries,
    }
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "adversarial.npz", stream.getvalue())
        write_whole(folder / "attack.json", report.to_json().encode())
    except OSError as error:
        raise Unavailable(
            f"Cannot write into {folder}: {error.strerror}.", remedy="choose another --out"
        ) from None
