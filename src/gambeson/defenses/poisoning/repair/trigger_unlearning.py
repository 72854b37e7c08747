"""Unlearning of the reconstructed triggers: rows that carry them keep their true labels; then others are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.extraction.student import moved
from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, descend, repairs
from gambeson.defenses.poisoning.shortcut import Descent, find_shortcuts
from gambeson.defenses.poisoning.trigger_search import Search, find_triggers
from gambeson.defenses.poisoning.under_repair import Under
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "trigger_unlearning",
    RepairFacts(
        summary="trains on rows with reconstructed triggers and their true labels, round by round",
        source="Wang et al. 2019, Neural Cleanse, section VI.C (patching by unlearning); deviation: triggers of all "
        "classes, patches and perturbations, at varying strength; new ones are searched for after each round; beside "
        "labels the answers of the network as it was to the clean rows, moved about",
    ),
)
@dataclass(frozen=True, slots=True)
class TriggerUnlearning:
    """Every row of a batch is seen plainly and with one of the triggers found so far.

    Attributes:
        rounds: Of training; before all but the first the triggers are searched for anew.
        steps: Of the optimiser in each round.
        rate: Its first step.
    """

    rounds: int = 3
    steps: int = 150
    rate: float = 2e-3

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Unlearn."""
        teacher = network.twin()
        teacher.module.eval().requires_grad_(False)
        found = _Found.of(task)
        for number in range(self.rounds):
            if number:
                found.search(network, task, task.seed.child("round", str(number)).generator())
            self._unlearn(network, task, teacher, found)

    def _unlearn(self, network: Trainee, task: RepairTask, teacher: Trainee, found: _Found) -> None:
        def loss(x: Tensor, y: Tensor) -> Tensor:
            seen = moved(x) if task.schema.is_image else x
            with torch.no_grad():
                wanted = teacher(seen).softmax(1)
            plain, blind = (network(part).log_softmax(1) for part in (seen, found.stamp(seen)))
            alike = -(wanted * (plain + blind)).sum(1).mean()
            return alike + F.cross_entropy(network(x), y)

        descend(network, task, loss, steps=self.steps, rate=self.rate)


class _Found:
    """Patches and perturbations of all classes and rounds."""

    def __init__(
        self, masks: Tensor, patterns: Tensor, changes: Tensor, bounds: tuple[Tensor, Tensor]
    ) -> None:
        self._masks, self._patterns, self._changes = masks, patterns, changes
        self._low, self._high = bounds

    @classmethod
    def of(cls, task: RepairTask) -> _Found:
        """Those that the scan reconstructed."""
        low, high = (torch.from_numpy(bound) for bound in task.schema.bounds())
        masks, patterns = torch.from_numpy(task.triggers.masks), torch.from_numpy(task.triggers.patterns)
        return cls(masks, patterns, torch.from_numpy(task.shortcuts.changes), (low, high))

    def search(self, network: Trainee, task: RepairTask, rng: np.random.Generator) -> None:
        """Add those that work on the network as it is now."""
        network.module.eval()
        model, x = Under(network, task.schema), task.x.cpu().numpy()
        patches = find_triggers(model, x, task.schema, Search(steps=100), rng)
        changes = find_shortcuts(model, x, task.schema, Descent(steps=80), rng).changes
        self._masks = torch.cat([self._masks, torch.from_numpy(patches.masks)])
        self._patterns = torch.cat([self._patterns, torch.from_numpy(patches.patterns)])
        self._changes = torch.cat([self._changes, torch.from_numpy(changes)])

    def stamp(self, x: Tensor) -> Tensor:
        """Each row with a patch or a perturbation of its own, at half to one and a half of its strength."""
        wide = (-1,) + (1,) * (x.dim() - 1)
        drawn = torch.randint(len(self._masks), (len(x),))
        strength = 0.5 + torch.rand(len(x)).view(wide)
        patched = x + (strength.clamp_max(1.0) * self._masks[drawn]) * (self._patterns[drawn] - x)
        shifted = x + strength * self._changes[drawn]
        return torch.where(torch.rand(len(x)).view(wide) < 0.5, patched, shifted).clamp(self._low, self._high)
