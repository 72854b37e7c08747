"""Makes a candidate of ``gambeson harden`` without a backdoor, and judges it by triggers and by the backdoor scan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from gambeson.audit.checks.poisoning_evidence import tests_table, trigger_grid
from gambeson.audit.result import AuditReport
from gambeson.core.errors import UsageError
from gambeson.core.finding import Evidence, Finding, Table
from gambeson.core.measurement import Measurement
from gambeson.core.stats import proportion
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.defenses.poisoning.removal import BackdoorRemoval, Removal, removals, remove_backdoor
from gambeson.defenses.poisoning.repair.base import repairs
from gambeson.defenses.poisoning.under_repair import Under
from gambeson.models.torch_trainee import Trainee
from gambeson.service.hardening_training import WEIGHTS, Made, Report, Scene, in_words, write_weights
from gambeson.service.hardening_verdict import Verdict
from gambeson.service.poisoning import RECORD, TRIGGERED

SCAN = "poisoning.backdoor"
"""The check that judges a repaired model beside its robustness."""
_ALPHA = 0.05
_LOSS = 0.02
"""Clean accuracy that a repair may cost."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a model does, before or after.

    Attributes:
        clean: Accuracy on the audited split.
        success: Share of triggered inputs of other classes that get the target; ``None`` where no trigger is known.
        right: Share of them that get their true label.
    """

    clean: Measurement
    success: Measurement | None
    right: Measurement | None


def repaired_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Try every repair on a few clean rows and write the weights of the best.

    Args:
        scene: What all recipes have in common; its training split counts as clean.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned steps, steps made since, note)``.

    Raises:
        UsageError: The model cannot be trained, or the folder of the poisoning holds no trigger.
        InsufficientEvidence: Too few clean rows or classes.
        Unavailable: The package ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    plan: BackdoorRemoval = removals.make(name, scene.command.parameters_of(name))
    network = scene.network.trainee(fresh=False, seed=0)
    seed = scene.seed.child(name)
    rows = seed.child("clean").generator().permutation(len(scene.split))[: plan.rows]
    total = 1 + len(plan.names or repairs.names())
    report(total, 0, f"{len(rows)} clean rows")
    removal = remove_backdoor(
        network,
        scene.split.take(np.sort(rows)),
        scene.data.schema,
        seed,
        names=plan.names,
        report=lambda said: report(total, 1, said),
    )
    write_weights(folder / WEIGHTS, removal.network)
    before, after = (_effect(scene, plan, trained) for trained in (network, removal.network))
    return Made(
        steps=len(removal.tried) - 1,
        complete=True,
        parameters=tuple(
            {**in_words(plan), "chosen": removal.chosen or "none", "clean rows": str(len(rows))}.items()
        ),
        evidence=_evidence(scene, removal, before, after),
        judge=partial(judge_repair, before, after),
    )


def judge_repair(before: Effect, after: Effect, first: AuditReport, second: AuditReport) -> Verdict:
    """Whether the backdoor is gone and accuracy is not.

    Where the true trigger is known its success decides; else the backdoor scan of both audits does.
    """
    lost = before.clean.value - after.clean.value
    words = [f"clean accuracy from {before.clean.value:.1%} to {after.clean.value:.1%}"]
    ps = [_scan(report) for report in (first, second)]
    if None not in ps:
        words.append(f"backdoor scan p = {ps[0]:.2g} before, {ps[1]:.2g} after")
    if before.success is not None and after.success is not None:
        words.insert(0, f"attack success from {before.success.value:.1%} to {after.success.value:.1%}")
        one, other = before.success.interval, after.success.interval
        gone = one is not None and other is not None and other.high < one.low
    else:
        gone = ps[0] is not None and ps[1] is not None and ps[0] <= _ALPHA < ps[1]
    return Verdict("; ".join(words), improved=gone and lost <= _LOSS)


def _scan(report: AuditReport) -> float | None:
    found: list[Finding] = [f for f in report.findings if f.check == SCAN and f.measurements]
    return found[0].measurement("p_value").value if found else None


def _effect(scene: Scene, plan: BackdoorRemoval, network: Trainee) -> Effect:
    network.module.eval()
    model = Under(network, scene.data.schema)
    x, y = _all(scene.data, scene.command.audit.split)
    right = int((_classes(model, x) == y).sum())
    clean = proportion("clean_accuracy", right, len(y), better="higher")
    if not plan.poison:
        return Effect(clean, None, None)
    target, data = _triggered(scene, Path(plan.poison))
    x, y = _all(data, "test")
    said = _classes(model, x)
    return Effect(
        clean,
        proportion("attack_success", int((said == target).sum()), len(y), better="lower"),
        proportion("triggered_accuracy", int((said == y).sum()), len(y), better="higher"),
    )


def _triggered(scene: Scene, folder: Path) -> tuple[int, Dataset]:
    """Target class and the test inputs that carry the trigger, as ``gambeson data poison`` wrote them."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        target = scene.data.schema.classes.index(record["target"])
        name = next(name for name in record["files"] if name.startswith(TRIGGERED))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        raise UsageError(
            f"{folder} holds no trigger for the classes of {scene.data.name}.",
            expected="a folder that gambeson data poison wrote, of an attack with a trigger",
        ) from None
    options = DataOptions(**record.get("read with", {}))
    return target, open_dataset(str(folder / name), options=options)


def _all(data: Dataset, split: str) -> tuple[np.ndarray, np.ndarray]:
    rows = data.split(split)
    return rows.take(np.arange(len(rows)))


def _classes(model: Under, x: np.ndarray) -> np.ndarray:
    parts = [model.scores(x[at : at + 1024]).argmax(1) for at in range(0, len(x), 1024)]
    return np.concatenate(parts)


def _evidence(scene: Scene, removal: Removal, before: Effect, after: Effect) -> Evidence:
    sample = scene.split.take(np.arange(min(8, len(scene.split))))[0]
    grid = trigger_grid(removal.scan, sample, scene.data.schema)
    names = ("model", "clean accuracy", "attack success", "accuracy on triggered inputs")
    effects = (("before", before), (f"after ({removal.chosen or 'nothing'})", after))
    known = Table(
        "backdoor",
        "Before and after",
        names,
        tuple((name, *(_said(m) for m in (e.clean, e.success, e.right))) for name, e in effects),
        "Attack success and accuracy on triggered inputs are known only where the poisoning was a test.",
    )
    tried = Table(
        "repairs",
        "Repairs that were tried",
        ("repair", "clean accuracy", "reconstructed triggers that still work", "note"),
        tuple(
            (t.name or "as it was", round(t.accuracy, 4), round(t.residual, 4), t.reason or None)
            for t in removal.tried
        ),
        f"Measured on {removal.judged} clean rows that no repair was taught; the chosen one leaves least of a trigger.",
    )
    tables = (known, tried, tests_table(removal.scan, scene.data.schema))
    return Evidence(tables=tables, grids=() if grid is None else (grid,))


def _said(figure: Measurement | None) -> str | None:
    return None if figure is None else str(figure)
