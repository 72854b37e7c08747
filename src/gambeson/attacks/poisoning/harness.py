"""Runs a poisoning attack: holds it to its budget and to the bounds, and records what it changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import numpy as np

from gambeson.attacks.poisoning.base import Backdoor, Changes, Poisoning, PoisoningFacts, PoisonTask
from gambeson.core.errors import ModelError, UsageError
from gambeson.core.reproduce import digest_bytes


@dataclass(frozen=True, slots=True)
class Poisoned:
    """Data after an attack.

    Attributes:
        x: (n, *shape) float32.
        y: (n,) int64.
        changed: (m,) int64 row numbers in the new data whose input or label is not what it was.
        record: What was done, for a file beside the data.
    """

    x: np.ndarray
    y: np.ndarray
    changed: np.ndarray
    record: dict[str, Any]


def run_poisoning(name: str, attack: Poisoning, facts: PoisoningFacts, task: PoisonTask) -> Poisoned:
    """Poison training data.

    Args:
        name: Of the attack, for the record.
        attack: The attack.
        facts: What it declares.
        task: The data and what is wanted; they are left as they are.

    Raises:
        UsageError: The rate or the target makes no sense, or the attack does not work on such data.
        InsufficientEvidence: Too few rows of the kind that it needs.
        ModelError: The attack broke its rules: more rows than its budget, values out of bounds, unknown classes.
    """
    _check(name, facts, task)
    changes = attack.poison(task)
    _hold_to_rules(name, facts, task, changes)
    x, y = task.x.copy(), task.y.copy()
    x[changes.rows], y[changes.rows] = changes.x, changes.y
    kept = np.setdiff1d(np.arange(len(y)), changes.removed)
    changed = np.flatnonzero(np.isin(kept, changes.rows))
    record = {
        "attack": name,
        "source": facts.source,
        "goal": facts.goal,
        "changes": facts.changes,
        "parameters": _parameters(attack),
        "rate": task.rate,
        "target": task.schema.classes[task.target],
        "seed": {"value": task.seed.value, "path": list(task.seed.path)},
        "rows before": len(task.y),
        "rows after": len(kept),
        "poisoned": changed.tolist(),
        "labels before": task.y[kept[changed]].tolist(),
        "removed": changes.removed.tolist(),
        "facts": dict(changes.facts),
        "digest before": array_digest(task.x, task.y),
        "digest after": array_digest(x[kept], y[kept]),
    }
    return Poisoned(x[kept], y[kept], changed, record)


def triggered(attack: Backdoor, x: np.ndarray, task: PoisonTask) -> np.ndarray:
    """Inputs as an attacker sends them to a model that was trained on what ``task`` became."""
    return attack.stamp(x, task.schema, task.seed)


def array_digest(x: np.ndarray, y: np.ndarray) -> str:
    """``sha256:<hex>`` of values and labels."""
    return digest_bytes([np.ascontiguousarray(x).data.cast("B"), np.ascontiguousarray(y).data.cast("B")])


def _parameters(attack: Any) -> dict[str, Any]:
    return asdict(attack) if is_dataclass(attack) and not isinstance(attack, type) else {}


def _check(name: str, facts: PoisoningFacts, task: PoisonTask) -> None:
    if not 0 < task.rate <= 1:
        raise UsageError(f"The rate is {task.rate:g}.", expected="a share of the rows, above 0, at most 1")
    classes = len(task.schema.classes)
    if not 0 <= task.target < classes:
        raise UsageError(f"The target is {task.target}.", expected=f"a class number, 0 to {classes - 1}")
    fits = facts.pictures if task.schema.is_image else facts.tables and len(task.schema.shape) == 1
    if not fits:
        kinds = [word for word, works in (("pictures", facts.pictures), ("tables", facts.tables)) if works]
        raise UsageError(
            f"The attack {name} does not work on inputs of shape {task.schema.shape}.",
            expected=" or ".join(kinds),
        )


def _hold_to_rules(name: str, facts: PoisoningFacts, task: PoisonTask, changes: Changes) -> None:
    low, high = task.schema.bounds()
    rows, classes = changes.rows, len(task.schema.classes)
    slack = 1e-5 * (high - low)
    budget = (
        task.budget * 4
    )  # rows that keep their label beside the poisoned ones (WaNet's noise) are allowed for
    problem = ""
    if len(np.unique(rows)) != len(rows) or (len(rows) and not 0 <= rows.min() <= rows.max() < len(task.y)):
        problem = "names rows twice or that do not exist"
    elif len(changes.removed) > task.budget or len(rows) > budget:
        problem = f"changes {len(rows)} and removes {len(changes.removed)} rows of {task.budget}"
    elif not ((changes.x >= low - slack) & (changes.x <= high + slack)).all():
        problem = "leaves the bounds of the data"
    elif len(rows) and not 0 <= changes.y.min() <= changes.y.max() < classes:
        problem = "gives labels that are no classes"
    elif facts.changes == "inputs" and not np.array_equal(changes.y, task.y[rows]):
        problem = "changes labels although it declares that it does not"
    elif facts.changes == "labels" and not np.array_equal(changes.x, task.x[rows]):
        problem = "changes inputs although it declares that it does not"
    if problem:
        raise ModelError(
            f"The poisoning attack {name} {problem}.", remedy="report this as a bug of the attack"
        )
