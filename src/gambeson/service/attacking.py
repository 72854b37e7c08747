"""The use-case of attacks by name: run them on the same samples, measure what is left, keep what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gambeson.attacks.base import evasion
from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import PROTOCOLS
from gambeson.attacks.robustness import (
    Robustness,
    choose_samples,
    clean_predictions,
    measure_robustness,
    require,
    require_steady,
)
from gambeson.audit.result import Subject, Times
from gambeson.audit.runner import AuditClock
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.finding import Evidence
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.data.sources import describe as describe_data
from gambeson.models.loading import describe as describe_model
from gambeson.models.loading import open_model
from gambeson.models.model import Model
from gambeson.models.passes import Passes
from gambeson.service.attack_commands import AttackCommand, attack_line, check_attack
from gambeson.service.attack_comparison import compare, overlaid, together
from gambeson.service.attack_evidence import attack_report
from gambeson.service.attack_files import prepare_folder, write_attack
from gambeson.service.attack_pictures import check_pictures
from gambeson.service.attack_report import AttackRun
from gambeson.service.interrupts import interrupts


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where all attacks of a command take place."""

    command: AttackCommand
    data: Dataset
    passes: Passes
    samples: Samples
    space: PerturbationSet
    right: int


def run_attack_command(command: AttackCommand, progress: Progress) -> AttackRun:
    """Attack a model with one attack, or with several on the same samples.

    The first interrupt (Ctrl-C) and the end of the time budget wind the attacks up: what fell until then counts.

    Args:
        command: What to attack and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Unavailable: An attack does not fit the model, the norm or the access granted; or ``out`` cannot be written.
        ModelError: The model does not answer, or answers with NaN.
    """
    started, clock = datetime.now(UTC), AuditClock()
    check_attack(command)
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    if command.png:
        check_pictures(data)
    model = open_model(
        command.model,
        schema=data.schema,
        factory=command.factory,
        scores=command.scores,
        classes=command.classes,
    )
    plan = [(name, _stages(command, name, model)) for name in command.attacks]
    scene = _scene(command, data, model)
    if command.out is not None:
        prepare_folder(command.out)
    deadline = clock() + (command.time_budget or float("inf"))
    with interrupts(clock):
        found = [_attack(scene, name, stages, progress, clock, deadline) for name, stages in plan]
    reports = [
        attack_report(command, name, stages, result, scene.passes, data.schema)
        for (name, stages), result in zip(plan, found, strict=True)
    ]
    one = len(found) == 1
    run = AttackRun(
        tool=_version(),
        model=Subject(model.info.name, model.info.digest, describe_model(model)),
        data=Subject(data.name, data.digest, describe_data(data)),
        command=attack_line(command),
        seed=command.seed,
        attacks=tuple(reports),
        together=() if one else together(command, found),
        comparison=None if one else compare(command, found),
        evidence=Evidence() if one else overlaid(command, found),
        interrupted=clock.interrupted,
        times=Times(
            started.isoformat(timespec="seconds"),
            (datetime.now(UTC) - started).total_seconds(),
        ),
    )
    return run if command.out is None else write_attack(command, run, found, scene.passes, data.schema)


def _scene(command: AttackCommand, data: Dataset, model: Model) -> _Scene:
    space = PerturbationSet.of(command.threat, data.schema)
    seed = Seed(command.seed).child("samples")
    samples = choose_samples(data.split(command.split), command.samples, seed)
    passes = Passes(model, command.batch_size)
    require_steady(passes, samples)
    right = int((clean_predictions(passes, samples) == samples.y.numpy()).sum())
    return _Scene(command, data, passes, samples, space, right)


def _attack(
    scene: _Scene, name: str, stages: list[Stage], progress: Progress, clock: AuditClock, deadline: float
) -> Robustness:
    """One attack on all samples; each has the seeds that it has when it runs alone."""
    command, n = scene.command, len(scene.samples)
    progress.start(name, n * sum(item.attack.length for item in stages))
    found = measure_robustness(
        stages,
        scene.passes,
        scene.samples,
        scene.space.with_eps(float("inf")) if command.nearest else scene.space,
        budget=command.threat.queries,
        run=Run(
            Seed(command.seed).child("evasion"),
            deadline=deadline,
            clock=clock,
            report=_report(progress, name, None if command.nearest else scene.right, n),
            donors=scene.samples.x,
        ),
    )
    broken = int(found.outcome.fallen.sum())
    left = "" if command.nearest else f", robust accuracy at most {(scene.right - broken) / n:.1%}"
    progress.finish(name, f"{broken} of {scene.right} broken{left}")
    return found


def _report(progress: Progress, name: str, right: int | None, n: int) -> Callable[[int, int], None]:
    """Progress that says the bound at each moment; nothing falls before the end where ``right`` is ``None``."""
    broken = 0

    def report(work: int, fallen: int) -> None:
        nonlocal broken
        broken += fallen
        if right is None:
            progress.advance(name, work, "looking for the nearest")
        else:
            bound = f", robust accuracy at most {(right - broken) / n:.1%} once verified" if broken else ""
            progress.advance(name, work, f"{broken} broken{bound}")

    return report


def _stages(command: AttackCommand, name: str, model: Model) -> list[Stage]:
    given = command.parameters_of(name)
    if name in PROTOCOLS:
        if command.nearest or given:
            raise UsageError(
                f"{name} takes neither parameters nor --nearest.", remedy="name one attack instead"
            )
        stages = PROTOCOLS[name](command.threat.norm, model.info.classes)
    else:
        _known(name)
        stages = [stage(name, name, **given)]
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


def _version() -> str:
    from gambeson import __version__

    return __version__
