"""The use-case of certificates: prove what accuracy is left, attack the same classifier, give the interval."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import AUTOATTACK_NORMS, strongest
from gambeson.attacks.robustness import choose_samples
from gambeson.certify.accuracy import Proving, affordable, certify_samples
from gambeson.certify.brackets import Attacked, Bracket, attack_upwards, brackets
from gambeson.certify.margins import Method
from gambeson.certify.reading import check_network, read_network
from gambeson.certify.smoothed_model import attack_smoothed
from gambeson.certify.smoothing import ABSTAIN, Smoothing, certify_smoothed
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.models.loading import open_model
from gambeson.models.model import Differentiable, Model
from gambeson.models.passes import Passes

_NAME = "certify"
_DRAWS = 16
"""Noises over which an attack on a smoothed classifier averages."""
_CHANCE = 0.999
"""Contradictions beyond this quantile of what chance allows are no chance."""


@dataclass(frozen=True, slots=True)
class CertifyCommand:
    """What to certify and how.

    Attributes:
        model: Path or URI.
        data: Path or URI.
        radii: Radii, in the unit of the threat model.
        threat: Norm, unit and frozen features; its own radius does not count.
        smoothing: Certify the smoothed classifier instead of the model itself, or ``None``.
        methods: Ways of bound propagation; empty for all that the size of the network allows.
        factory, scores, classes, data_options, split: As for an audit.
        samples: Rows to certify.
        seed: Root of the seed tree.
        batch_size: Samples per model pass; never changes a result.
        out: Folder for ``certify.json`` and ``certified.npz``, or ``None``.
    """

    model: str
    data: str
    radii: tuple[float, ...] = (8 / 255,)
    threat: ThreatModel = field(default_factory=ThreatModel)
    smoothing: Smoothing | None = None
    methods: tuple[Method, ...] = ()
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    samples: int = 100
    seed: int = 0
    batch_size: int = 128
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class CertifyReport:
    """What was proved and what was attacked.

    Attributes:
        subject: Which classifier the figures speak of: the model, or its smoothed version.
        norm: Of the perturbation.
        method: What proved it.
        clean: Clean accuracy (of a smoothed classifier: an abstention counts as wrong).
        abstained: Fraction of abstentions; ``None`` where nothing abstains.
        brackets: The interval at each radius.
    """

    subject: str
    norm: str
    method: str
    clean: Measurement
    abstained: Measurement | None
    brackets: tuple[Bracket, ...]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class _Job:
    """All that both ways of certifying share."""

    command: CertifyCommand
    model: Model
    passes: Passes
    samples: Samples
    space: PerturbationSet
    radii: tuple[float, ...]
    seed: Seed
    progress: Progress

    def run(self) -> Run:
        """How attacks run."""
        return Run(self.seed.child("attack"), donors=self.samples.x)

    def report(self, what: str) -> Callable[[int], None]:
        """Progress by samples."""
        return lambda n: self.progress.advance(_NAME, n, what)

    def stages(self) -> list[Stage]:
        """The attacks at each radius."""
        if self.command.threat.norm in AUTOATTACK_NORMS:
            return strongest(self.command.threat.norm, self.model.info.classes)
        return [stage("pgd", "pgd(100)", steps=100)]


def run_certify(command: CertifyCommand, progress: Progress) -> CertifyReport:
    """Certify a model, or its smoothed version.

    Args:
        command: What and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Unavailable: The network holds a layer that bound propagation does not know, or the norm does not fit.
        ModelError: The model does not answer, or answers with NaN.
        Contradiction: A certified sample was broken.
    """
    if command.samples < 1:
        raise UsageError(f"{command.samples} samples were asked for.", expected="at least 1")
    if command.batch_size < 1:
        raise UsageError(f"The batch size is {command.batch_size}.", expected="at least 1")
    if not command.radii or any(not (math.isfinite(eps) and eps > 0) for eps in command.radii):
        raise UsageError(f"The radii are {command.radii}.", expected="finite radii above 0")
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    model = open_model(
        command.model,
        schema=data.schema,
        factory=command.factory,
        scores=command.scores,
        classes=command.classes,
    )
    seed = Seed(command.seed)
    job = _Job(
        command,
        model,
        Passes(model, command.batch_size),
        choose_samples(data.split(command.split), command.samples, seed.child("samples")),
        PerturbationSet.of(command.threat, data.schema),
        tuple(sorted(set(command.radii))),
        seed,
        progress,
    )
    progress.start(_NAME, len(job.samples))
    if command.smoothing is None:
        report, arrays = _by_bounds(job)
    else:
        report, arrays = _by_smoothing(job, command.smoothing)
    progress.finish(_NAME, f"{len(job.samples)} samples")
    if command.out is not None:
        _write(command.out, report, {"index": job.samples.index, "y": job.samples.y.numpy(), **arrays})
    return report


def _by_bounds(job: _Job) -> tuple[CertifyReport, dict[str, Any]]:
    network = read_network(job.model)
    check_network(network, job.passes, job.samples.x)
    methods = job.command.methods or affordable(network, 10**11)
    proving = Proving(methods, report=job.report("certifying"))
    proved = certify_samples(network, job.samples, job.space, job.radii, proving)
    attacked = attack_upwards(job.stages(), job.passes, job.samples, job.space, job.radii, run=job.run())
    found = brackets(job.radii, proved.certified, attacked, job.samples.index)
    report = CertifyReport(
        subject=job.model.info.name,
        norm=str(job.command.threat.norm),
        method=f"{', '.join(proved.methods)} in float64",
        clean=_fraction("clean_accuracy", attacked.correct),
        abstained=None,
        brackets=found,
    )
    return report, {"radius": proved.radius, "certified": proved.certified, "fallen": attacked.fallen}


def _by_smoothing(job: _Job, how: Smoothing) -> tuple[CertifyReport, dict[str, Any]]:
    if job.command.threat.norm is not Norm.L2 or job.command.threat.unit != "input":
        raise UsageError(
            f"Randomised smoothing certifies an l2 radius in input units; {job.command.threat.norm} was asked for.",
            remedy="pass --norm l2, and --eps without %",
        )
    if job.command.threat.frozen:
        raise UsageError("Randomised smoothing adds noise to every feature.", remedy="leave --freeze out")
    answers = certify_smoothed(
        job.passes, job.samples, how, job.seed.child("smoothing"), report=job.report("smoothing")
    )
    right = answers.predicted == job.samples.y.numpy()
    certified = np.stack([right & (answers.radius >= eps) for eps in job.radii])
    attacked = Attacked(right, np.zeros_like(certified), 0)
    if isinstance(job.model, Differentiable):
        attacked = attack_smoothed(
            job.stages()[:2],
            job.model,
            job.passes,
            job.samples,
            job.space,
            job.radii,
            answers,
            how=how,
            draws=_DRAWS,
            run=job.run(),
        )
    allowed = by_chance(len(job.samples), 2 * how.alpha)
    report = CertifyReport(
        subject=f"{job.model.info.name}, smoothed with sigma {how.sigma:g}",
        norm=str(job.command.threat.norm),
        method=f"randomised smoothing: n0={how.n0}, n={how.n}, each certificate wrong with chance at most "
        f"{how.alpha:g}; largest radius possible {how.largest:.4g}"
        + ("" if isinstance(job.model, Differentiable) else "; not attacked, for lack of gradients"),
        clean=_fraction("clean_accuracy", right),
        abstained=_fraction("abstained", answers.predicted == ABSTAIN, better="lower"),
        brackets=brackets(job.radii, certified, attacked, job.samples.index, allowed=allowed),
    )
    arrays = {
        "predicted": answers.predicted,
        "radius": answers.radius,
        "probability": answers.probability,
        "certified": certified,
        "fallen": attacked.fallen,
    }
    return report, arrays


def by_chance(n: int, p: float) -> int:
    """The 99.9% quantile of a binomial distribution: how many of n rare events chance may bring."""
    total = term = (1 - p) ** n
    k = 0
    while total < _CHANCE and k < n:
        k += 1
        term *= (n - k + 1) / k * p / (1 - p)
        total += term
    return k


def _fraction(name: str, flags: np.ndarray, better: str = "higher") -> Measurement:
    return proportion(name, int(flags.sum()), len(flags), better=better)


def _write(folder: Path, report: CertifyReport, arrays: dict[str, Any]) -> None:
    """``certify.json``, and a row for each sample in ``certified.npz``."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "certified.npz", stream.getvalue())
        write_whole(folder / "certify.json", report.to_json().encode())
    except OSError as error:
        raise Unavailable(
            f"Cannot write into {folder}: {error.strerror}.", remedy="choose another --out"
        ) from None
