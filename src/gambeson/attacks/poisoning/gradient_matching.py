"""Gradient matching (Witches' Brew): rows whose gradient teaches the victim's wrong class, labels right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings, require_share
from gambeson.attacks.poisoning.pupil import teach
from gambeson.attacks.poisoning.victims import require_victim


@poisonings.register(
    "gradient_matching",
    PoisoningFacts(
        goal="targeted",
        changes="inputs",
        pictures=True,
        tables=False,
        source="Geiping et al. 2021, Witches' Brew, arXiv:2009.02276, algorithm 1; deviation: one surrogate, one "
        "restart, no augmentation, rows drawn at random",
    ),
)
@dataclass(frozen=True, slots=True)
class GradientMatching:
    """Maximises the cosine between the gradient of the poisoned rows and that of the victim under the target.

    Attributes:
        eps: Largest change of a value, as a share of the range of values.
        steps: Of signed Adam.
        most: Rows of one gradient; the budget is worked off in such groups.
    """

    eps: float = 0.1
    steps: int = 60
    most: int = 128

    def poison(self, task: PoisonTask) -> Changes:
        """Changes inputs of the target class, drawn at random.

        Raises:
            UsageError: There is no victim, or ``eps`` is no share.
        """
        require_share("eps", self.eps)
        victim = torch.from_numpy(require_victim(task)[None])
        pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("surrogate"), build=task.build)
        module = pupil.module.requires_grad_(True)
        wanted = _gradient(module, victim, torch.tensor([task.target]), keep=False)
        rows = task.draw(task.y == task.target)
        made, cosines = [], []
        for part in np.split(rows, range(self.most, len(rows), self.most)):
            x, cosine = self._matched(module, wanted, torch.from_numpy(task.x[part]), task)
            made.append(x)
            cosines.append(cosine)
        said = (("mean cosine of gradients", f"{np.mean(cosines):.4f}"),)
        return Changes(rows, np.concatenate(made), task.y[rows], facts=said)

    def _matched(
        self, module: nn.Module, wanted: Tensor, base: Tensor, task: PoisonTask
    ) -> tuple[np.ndarray, float]:
        low, high = (torch.from_numpy(bound) for bound in task.schema.bounds())
        reach = self.eps * (high - low)
        labels = torch.full((len(base),), task.target)
        noise = task.seed.child("start").generator().uniform(-1, 1, base.shape).astype(np.float32)
        change = (torch.from_numpy(noise) * reach).requires_grad_(True)
        optimizer = torch.optim.Adam([change], lr=float(reach.max()) / 10)
        for _ in range(self.steps):
            found = _gradient(module, (base + change).clamp(low, high), labels, keep=True)
            cosine = F.cosine_similarity(found, wanted, dim=0)
            (slope,) = torch.autograd.grad(-cosine, change)
            change.grad = slope.sign()
            optimizer.step()
            with torch.no_grad():
                change.clamp_(-reach, reach)
        with torch.no_grad():
            return (base + change).clamp(low, high).numpy(), float(cosine)


def _gradient(module: nn.Module, x: Tensor, y: Tensor, *, keep: bool) -> Tensor:
    """Gradient of the mean loss in all weights, as one vector."""
    loss = F.cross_entropy(module(x), y)
    parts = torch.autograd.grad(loss, [p for p in module.parameters() if p.requires_grad], create_graph=keep)
    return torch.cat([part.reshape(-1) for part in parts])
