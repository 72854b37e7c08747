"""Makes a private candidate of ``gambeson harden``: trains it, writes its weights and what builds its network."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.harness import Run
from gambeson.audit.report.diff import compare_reports
from gambeson.audit.result import AuditReport
from gambeson.core.finding import Evidence, Table
from gambeson.core.reproduce import digest_value
from gambeson.defenses.private.base import PrivateRecipe, private_recipes
from gambeson.defenses.private.layers import require_private, without_batch_norm
from gambeson.defenses.private.making import make_private, questions
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.defenses.private.statement import PrivacyStatement
from gambeson.service.hardening_report import CLEAN, EXPOSURE
from gambeson.service.hardening_training import (
    TRAINING,
    WEIGHTS,
    Made,
    Report,
    Scene,
    in_words,
    write_factory,
    write_weights,
)
from gambeson.service.hardening_verdict import Verdict

_FACTORY = '''"""Builds the network of model.safetensors: the given one without batch normalisation."""

from gambeson.defenses.private.layers import without_batch_norm
from gambeson.models.factory import import_function


def build():
    return without_batch_norm(import_function({factory!r})())
'''


def private_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Train privately on every training row, and write the weights if training comes to its end.

    Args:
        scene: What all recipes have in common.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned steps, steps made since, note)``.

    Raises:
        UsageError: The plan or a layer does not fit.
        ModelError: Training failed.
        Unavailable: The package ``dp-accounting`` or ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    command = scene.command
    recipe, plan = _chosen(scene, name)
    total = plan.steps(len(scene.split))
    report(total, 0, "; ".join(questions(plan, len(scene.split))))
    journal = FileJournal(folder / TRAINING)
    if not command.resume:
        shutil.rmtree(journal.root, ignore_errors=True)
    run = Run(
        scene.seed.child(name),
        journal=journal,
        key=_key(scene, name),
        clock=scene.clock,
        deadline=float("inf"),
        save_every=15.0,
        report=lambda work, _: report(total, work, ""),
    )
    trainee = scene.network.trainee(fresh=not recipe.public, seed=run.seed.child("weights").integer())
    made = make_private(trainee, recipe, plan, scene.split, run)
    if made.complete:
        write_weights(folder / WEIGHTS, made.network)
    return Made(
        steps=made.steps,
        complete=made.complete,
        parameters=tuple({**in_words(recipe), **in_words(plan)}.items()),
        fresh=not recipe.public,
        factory=write_factory(scene, folder, _FACTORY) if recipe.replace else None,
        evidence=Evidence() if made.statement is None else Evidence(tables=(_table(made.statement),)),
        promise=made.statement,
        judge=None if made.statement is None else partial(judge_promise, made.statement),
    )


def check_private(scene: Scene, name: str) -> None:
    """Refuse what cannot be trained privately, before anything long begins.

    Raises:
        UsageError: The plan or a layer does not fit, or no noise keeps the promise.
        Unavailable: The package ``dp-accounting`` is missing.
    """
    recipe, plan = _chosen(scene, name)
    module = scene.network.trainee(fresh=not recipe.public, seed=0).module
    require_private(without_batch_norm(module) if recipe.replace else module)
    plan.mechanism(len(scene.split))


def _chosen(scene: Scene, name: str) -> tuple[PrivateRecipe, PrivatePlan]:
    command = scene.command
    recipe: PrivateRecipe = private_recipes.make(name, command.parameters_of(name))
    plan = recipe.plan(len(scene.split), command.epochs, command.batch)
    plan.check(len(scene.split))
    return recipe, plan


def judge_promise(promise: PrivacyStatement, before: AuditReport, after: AuditReport) -> Verdict:
    """What is promised, and what it did to accuracy and to membership inference."""
    words = [str(promise)]
    for figure, label in ((CLEAN, "clean accuracy"), (EXPOSURE, "membership AUC")):
        change = next(
            (c for c in compare_reports(before, after).figures if c.name.endswith(f": {figure}")), None
        )
        if change is not None:
            words.append(f"{label} from {change.before.value:.3g} to {change.after.value:.3g}")
    return Verdict("; ".join((*words, *promise.concerns)), improved=promise.holds)


def _table(promise: PrivacyStatement) -> Table:
    values = asdict(promise)
    lists = {"concerns", "not_covered", "releases"}
    rows = [(name, str(value)) for name, value in values.items() if name not in lists]
    rows += [
        (name.replace("_", " "), str(line)) for name in ("concerns", "not_covered") for line in values[name]
    ]
    rows += [("noise of other sums", ", ".join(map(str, promise.releases)))] if promise.releases else []
    return Table("privacy", "Privacy statement", ("what", "value"), tuple(rows))


def _key(scene: Scene, name: str) -> str:
    """Name of this training in the journal: another one never goes on from its checkpoint."""
    command = scene.command
    return digest_value(
        {
            "model": scene.model.info.digest,
            "data": scene.data.digest,
            "recipe": name,
            "parameters": command.parameters_of(name),
            "epochs": command.epochs,
            "batch": command.batch,
            "seed": command.audit.seed,
            "split": command.audit.train_split,
        }
    )
