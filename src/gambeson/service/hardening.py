"""The hardening use-case: audit a model, train it by one or several recipes, audit what came of it, compare."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gambeson.audit.report.writing import unwritable
from gambeson.audit.result import AuditReport, Subject, Times
from gambeson.audit.runner import AuditClock
from gambeson.core.finding import Evidence
from gambeson.core.ports import Progress
from gambeson.core.threat import Access
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.data.sources import describe as describe_data
from gambeson.defenses.answers import answers
from gambeson.defenses.fitted import fitted_recipes
from gambeson.defenses.poisoning.removal import removals
from gambeson.defenses.private.base import private_recipes
from gambeson.defenses.training.base import recipes
from gambeson.defenses.transformations import transformations
from gambeson.models.loading import open_model
from gambeson.models.model import Differentiable, Model
from gambeson.service.auditing import run_audit
from gambeson.service.hardening_answers import LEAKS, answering_candidate
from gambeson.service.hardening_charts import compare_candidates
from gambeson.service.hardening_commands import HardenCommand, check_harden, harden_line
from gambeson.service.hardening_files import lineage, write_harden
from gambeson.service.hardening_fitted import fitted_candidate, require_fitted
from gambeson.service.hardening_private import check_private, private_candidate
from gambeson.service.hardening_repair import SCAN, repaired_candidate
from gambeson.service.hardening_report import Candidate, HardenRun, Training
from gambeson.service.hardening_training import Made, Report, Scene, require_trainable, robust_candidate
from gambeson.service.hardening_transformed import transformed_candidate
from gambeson.service.hardening_verdict import BEFORE, figures, judge
from gambeson.service.interrupts import interrupts

_JUDGES = {
    Access.GRADIENT: "evasion.gradient",
    Access.SCORES: "evasion.scores",
    Access.LABELS: "evasion.labels",
}


_MAKERS: tuple[tuple[Container[object], Callable[[Scene, str, Path, Report], Made]], ...] = (
    (recipes, robust_candidate),
    (private_recipes, private_candidate),
    (fitted_recipes, fitted_candidate),
    (transformations, transformed_candidate),
    (answers, answering_candidate),
    (removals, repaired_candidate),
)


def run_harden(command: HardenCommand, progress: Progress) -> HardenRun:
    """Harden a model and write models, audits and a comparison into ``command.out``.

    The first interrupt (Ctrl-C) keeps a checkpoint and ends the work; ``resume`` goes on from there.

    Args:
        command: What to harden and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong, or the model cannot be trained.
        Refused: The model file is not safe to open.
        IntegrityError: A file is damaged or not what it claims to be.
        Unavailable: An optional package is missing, or files cannot be written.
        ModelError: The model does not answer, or training failed.
    """
    started, begun = datetime.now(UTC), time.monotonic()
    check_harden(command)
    audit = command.audit
    data = open_dataset(audit.data, options=DataOptions.from_pairs(audit.data_options))
    model = open_model(
        audit.model, schema=data.schema, factory=audit.factory, scores=audit.scores, classes=audit.classes
    )
    command = _fitting(command, model)
    check_harden(command)
    audit, clock = command.audit, AuditClock()
    scene = Scene(command, data, data.split(audit.train_split or "train"), model, clock)
    for name in command.recipes:
        _require_fit(scene, name)
    before, report = _audited(command, BEFORE, audit.model, progress)
    candidates: list[Candidate] = []
    for name in command.recipes:
        found = None if clock.interrupted else _candidate(scene, name, report, progress)
        candidates += [] if found is None else [found]
    run = HardenRun(
        tool=report.tool,
        data=Subject(data.name, data.digest, describe_data(data)),
        command=harden_line(command),
        seed=audit.seed,
        threat=str(audit.threats[0]),
        before=before,
        candidates=tuple(candidates),
        evidence=compare_candidates([before, *candidates]),
        interrupted=clock.interrupted,
        times=Times(started.isoformat(timespec="seconds"), time.monotonic() - begun),
    )
    write_harden(command, run)
    return run


def _fitting(command: HardenCommand, model: Model) -> HardenCommand:
    """The command with recipe and checks that fit the model, where none were chosen.

    The audit that judges: what was chosen, or robustness, its sanity and membership inference.
    """
    audit, network = command.audit, isinstance(model, Differentiable)
    access = audit.threats[0].access
    judge = _JUDGES[access if network else min(access, Access.SCORES, key=lambda a: a.rank)]
    checks = audit.only or (judge, *(("evasion.sanity",) if network else ()), "privacy.membership")
    if any(name in answers for name in command.recipes) and not audit.only:
        checks += LEAKS
    if any(name in removals for name in command.recipes) and not audit.only:
        checks = (judge, SCAN)
    named = command.recipes or (("trades",) if network else ("augmentation",))
    return replace(command, recipes=named, audit=replace(audit, only=checks, fail_on=None, thresholds=()))


def _require_fit(scene: Scene, name: str) -> None:
    """Refuse a model that a recipe cannot train, before anything long begins.

    Raises:
        UsageError: It cannot.
    """
    if name in fitted_recipes:
        require_fitted(scene.model, name, scene.command.parameters_of(name))
        return
    require_trainable(scene.model)
    if name in private_recipes:
        check_private(scene, name)


def _audited(
    command: HardenCommand, name: str, model: str, progress: Progress
) -> tuple[Candidate, AuditReport]:
    """A model with what the audit says of it, not yet compared with any other."""
    folder = command.out / name / "audit"
    resume = command.resume and (folder / ".journal" / "plan.json").is_file()
    report = run_audit(replace(command.audit, model=model, out=folder, resume=resume), progress)
    candidate = Candidate(
        name=name,
        model=report.model,
        audit=str(folder),
        measurements=figures(report),
        verdict="",
        improved=False,
        training=None,
        evidence=Evidence(),
    )
    return candidate, report


def _candidate(scene: Scene, name: str, before: AuditReport, progress: Progress) -> Candidate | None:
    """What one recipe makes of the model; ``None`` where training was interrupted."""
    folder, clock = scene.command.out / name, time.monotonic
    make = next(make for names, make in _MAKERS if name in names)
    begun = clock()
    try:
        with interrupts(scene.clock):  # type: ignore[arg-type]
            made = make(scene, name, folder, _reporter(name, progress))
    except OSError as error:
        raise unwritable(folder, error) from None
    seconds = clock() - begun
    if not made.complete:
        return None
    command = scene.command
    if made.factory is not None:
        command = replace(command, audit=replace(command.audit, factory=made.factory))
    candidate, after = _audited(command, name, str(folder / made.file), progress)
    training = Training(
        recipe=name,
        parameters=made.parameters,
        steps=made.steps,
        seconds=seconds,
        complete=made.complete,
        returns=made.returns,
        promise=made.promise,
        fresh=made.fresh,
    )
    verdict = (made.judge or judge)(before, after)
    candidate = replace(
        candidate,
        verdict=verdict.words,
        improved=verdict.improved,
        training=training,
        evidence=made.evidence,
    )
    record = json.dumps(lineage(scene, candidate, training), indent=1)
    (folder / "lineage.json").write_text(record + "\n")
    return candidate


def _reporter(name: str, progress: Progress) -> Callable[[int, float, str], None]:
    """Reports steps to a bar of this recipe, which begins with the first step."""
    title, begun = f"train {name}", False

    def report(total: int, done: float, note: str) -> None:
        nonlocal begun
        if not begun:
            progress.start(title, total)
            begun = True
        progress.advance(title, done, note)

    return report
