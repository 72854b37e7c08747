"""Backdoor removal: every repair is tried, and the one that leaves least of a backdoor without harm is kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from gambeson.core.errors import InsufficientEvidence, Unavailable, UsageError
from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.model_scan import ModelScan, ScanEffort, scan_model
from gambeson.defenses.poisoning.repair.base import RepairTask, repairs
from gambeson.defenses.poisoning.trigger_search import Search, find_triggers
from gambeson.defenses.poisoning.under_repair import Under
from gambeson.defenses.training.base import RecipeFacts
from gambeson.models.torch_trainee import Trainee
from gambeson.models.torch_training import seeded

FEWEST = 40
"""Clean rows below which nothing can be chosen."""
_JUDGED = 0.4
"""Share of the clean rows that only choose."""
_HARM = 0.02
"""Accuracy on the clean rows that a repair may cost before it is passed over."""
_MOST_HARM = 0.1
"""Accuracy that a repair may cost where none that costs less does half of the work."""
_STRONGER = 2.0
"""How much stronger than the weakest that works a trigger is judged: an attacker's own is no weakest one."""


removals: Registry[Callable[..., BackdoorRemoval], RecipeFacts] = Registry("removal")


@removals.register(
    "backdoor-removal",
    RecipeFacts(
        "repairs of a network with a backdoor by a few clean rows; the best of six is kept",
        source="the repairs of gambeson.defenses.poisoning.repair, each with its own",
    ),
)
@dataclass(frozen=True, slots=True)
class BackdoorRemoval:
    """What the recipe may be told.

    Attributes:
        rows: Most clean rows that are used; they come from the training split of the data that are given.
        repairs: Names of repairs to try, separated by commas; all where empty.
        poison: Folder that ``gambeson data poison`` wrote, if it was a test: success of the true trigger is then
            measured before and after; nothing is learnt from it.
    """

    rows: int = 500
    repairs: str = ""
    poison: str = ""

    def __post_init__(self) -> None:
        if self.rows < FEWEST:
            raise UsageError(f"rows is {self.rows}.", expected=f"at least {FEWEST} clean rows")
        for name in self.names:
            _ = repairs[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Repairs to try."""
        return tuple(name.strip() for name in self.repairs.split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Tried:
    """One repair on trial.

    Attributes:
        name: Of the repair; ``""`` for the network as it was.
        accuracy: Share of judged clean rows that it classifies right.
        residual: Worst share of judged rows that a reconstructed trigger, made twice as strong, turns into its class:
            the old triggers, and new ones searched for on the repaired network that are no larger than the old.
        reason: Why it could not be tried; else empty.
    """

    name: str
    accuracy: float
    residual: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of it.

    Attributes:
        network: The repaired network.
        chosen: Name of the repair that made it.
        tried: All repairs, and the network as it was, first.
        scan: Of the network as it was.
        judged: Clean rows that chose.
    """

    network: Trainee
    chosen: str
    tried: tuple[Tried, ...]
    scan: ModelScan
    judged: int


def remove_backdoor(
    network: Trainee,
    clean: tuple[np.ndarray, np.ndarray],
    schema: Schema,
    seed: Seed,
    *,
    names: tuple[str, ...] = (),
    report: Callable[[str], None] = lambda said: None,
) -> Removal:
    """Repair a network with a few clean rows.

    Args:
        network: With the backdoor; it is left as it is.
        clean: (n, *shape) float32 inputs and (n,) labels, known to be clean.
        schema: Bounds and classes.
        seed: Of everything that is drawn.
        names: Repairs to try; all where empty.
        report: Called after the scan and each repair.

    Raises:
        InsufficientEvidence: Fewer than 40 clean rows, or fewer than four classes.
    """
    x, y = clean
    if len(y) < FEWEST:
        raise InsufficientEvidence(f"There are {len(y)} clean rows.", expected=f"at least {FEWEST}")
    order = seed.child("rows").generator().permutation(len(y))
    judged, taught = order[: int(_JUDGED * len(y))], order[int(_JUDGED * len(y)) :]
    network.module.eval()
    scan = scan_model(Under(network, schema), x[taught], schema, ScanEffort(), seed.child("scan"))
    report("scan")
    task = RepairTask(
        torch.from_numpy(np.ascontiguousarray(x[taught])),
        torch.from_numpy(y[taught]),
        schema,
        scan.triggers,
        scan.shortcuts,
        seed,
    )
    judge = _Judge(x[judged], y[judged], schema, scan, seed.child("judge"))
    tried, made = [judge.look("", network)], {"": network}
    for name in names or repairs.names():
        candidate = replace(network, module=_thawed(network.module))
        try:
            with seeded(seed.child(name).integer()):
                repairs[name].plugin().repair(candidate, task)
        except Unavailable as error:
            tried.append(Tried(name, 0.0, 1.0, error.message))
            continue
        candidate.module.eval()
        made[name] = candidate
        tried.append(judge.look(name, candidate))
        report(name)
    chosen = _best(tried)
    return Removal(made[chosen], chosen, tuple(tried), scan, len(judged))


def _thawed(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).requires_grad_(True)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Clean rows that no repair was taught, and the triggers of the network as it was."""

    x: np.ndarray
    y: np.ndarray
    schema: Schema
    scan: ModelScan
    seed: Seed

    def look(self, name: str, network: Trainee) -> Tried:
        """Accuracy, and how well old and new triggers of the suspected classes work."""
        model = Under(network, self.schema)
        accuracy = float((model.scores(self.x).argmax(1) == self.y).mean())
        worst = 0.0
        for label in {test.label for test in self.scan.tests}:
            others = self.x[self.y != label]
            low, high = self.schema.bounds()
            sent = [
                _stamped(
                    others, _STRONGER * self.scan.triggers.masks[label], self.scan.triggers.patterns[label]
                ),
                np.clip(others + self.scan.shortcuts.changes[label], low, high),
                self._anew(model, label, others),
            ]
            worst = max(worst, *(float((model.scores(x).argmax(1) == label).mean()) for x in sent))
        return Tried(name, accuracy, worst)

    def _anew(self, model: Under, label: int, x: np.ndarray) -> np.ndarray:
        """Rows with a new patch for one class, scaled down to the size of the old one where it is larger."""
        rng = self.seed.child(str(label)).generator()
        found = find_triggers(model, self.x, self.schema, Search(steps=100), rng, np.array([label]))
        shrink = min(1.0, float(self.scan.triggers.sizes[label] / max(found.sizes[0], 1e-9)))
        return _stamped(x, found.masks[0] * shrink, found.patterns[0])


def _stamped(x: np.ndarray, mask: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Rows with a patch."""
    mask = np.minimum(mask, 1)
    return np.asarray((1 - mask) * x + mask * pattern, np.float32)


def _best(tried: list[Tried]) -> str:
    """Least residual among those that cost little accuracy, or more where those do not help; else the most accurate."""
    before, candidates = tried[0], [t for t in tried[1:] if not t.reason]
    if not candidates:
        return ""
    for harm, enough in ((_HARM, before.residual / 2), (_MOST_HARM, before.residual)):
        good = [t for t in candidates if t.accuracy >= before.accuracy - harm - 1e-9 and t.residual <= enough]
        if good:
            # residuals within a few rows of each other say the same; accuracy then decides
            return min(good, key=lambda t: (round(t.residual, 1), -t.accuracy)).name
    return max(candidates, key=lambda t: t.accuracy).name
