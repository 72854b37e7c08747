"""Feature collision: rows of the target class that a network cannot tell from the victim, labels right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings
from gambeson.attacks.poisoning.pupil import teach
from gambeson.attacks.poisoning.victims import require_victim
from gambeson.models.torch_features import last_features


@poisonings.register(
    "feature_collision",
    PoisoningFacts(
        goal="targeted",
        changes="inputs",
        pictures=True,
        tables=False,
        source="Shafahi et al. 2018, Poison frogs!, arXiv:1804.00792, algorithm 1; deviation: Adam in place of "
        "forward-backward splitting",
    ),
)
@dataclass(frozen=True, slots=True)
class FeatureCollision:
    """Minimises the distance to the victim in features plus ``beta`` times that to the row itself.

    Attributes:
        beta: Weight of staying as the row was; distances are means over entries, those of features relative to the
            size of the victim's.
        steps: Of the optimiser.
        watermark: Share of the victim that is mixed into each row at the start.
    """

    beta: float = 0.25
    steps: int = 120
    watermark: float = 0.3

    def poison(self, task: PoisonTask) -> Changes:
        """Changes inputs of the target class, drawn at random.

        Raises:
            UsageError: There is no victim.
        """
        victim = require_victim(task)
        pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("surrogate"), build=task.build)
        rows = task.draw(task.y == task.target)
        low, high = (torch.from_numpy(bound) for bound in task.schema.bounds())
        base, wanted = torch.from_numpy(task.x[rows]), torch.from_numpy(victim[None])
        with torch.no_grad():
            goal = last_features(pupil.module, wanted)[0]
        at = ((1 - self.watermark) * base + self.watermark * wanted).requires_grad_(True)
        optimizer = torch.optim.Adam([at], lr=0.02)
        for _ in range(self.steps):
            found = last_features(pupil.module, at)[0]
            apart = (found - goal).square().mean(1) / goal.square().mean()
            moved = ((at - base) / (high - low).clamp_min(1e-12)).square().flatten(1).mean(1)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward((apart + self.beta * moved).sum())
            optimizer.step()
            with torch.no_grad():
                at.clamp_(low, high)
        said = (("mean relative distance of features", f"{float(apart.mean().detach()):.4f}"),)
        return Changes(rows, at.detach().numpy().astype(np.float32), task.y[rows], facts=said)
