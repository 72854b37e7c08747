"""WaNet: a smooth warp that the eye passes over, and the target as label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings, stamp_rows
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema


@poisonings.register(
    "warp",
    PoisoningFacts(
        goal="backdoor",
        changes="both",
        pictures=True,
        tables=False,
        source="Nguyen & Tran 2021, WaNet, arXiv:2102.10369, section 3.2; deviation: the data are changed once, the "
        "training is not, so that noise rows are drawn once, too",
    ),
)
@dataclass(frozen=True, slots=True)
class Warp:
    """Control points on a coarse grid move at random; what lies between follows smoothly.

    Attributes:
        points: Control points along a side.
        strength: Mean shift of a point, in units of half of the coarse grid's spacing; the paper's s is 0.5.
        noise: Rows with another, random warp that keep their label, as a multiple of the poisoned ones.
    """

    points: int = 4
    strength: float = 1.0
    noise: float = 0.0

    def poison(self, task: PoisonTask) -> Changes:
        """Warps rows of other classes; with ``noise`` further rows are warped at random and keep their label."""
        poisoned = stamp_rows(self, task, task.draw(task.y != task.target))
        count = round(self.noise * len(poisoned.rows))
        if not count:
            return poisoned
        left = np.setdiff1d(np.arange(len(task.y)), poisoned.rows)
        extra = np.sort(task.seed.child("noise rows").generator().permutation(left)[:count])
        other = [
            self._warped(task.x[row : row + 1], task.schema, task.seed.child("noise", str(row)))
            for row in extra.tolist()
        ]
        rows = np.concatenate([poisoned.rows, extra])
        order = np.argsort(rows)
        x = np.concatenate([poisoned.x, *other])[order]
        y = np.concatenate([poisoned.y, task.y[extra]])[order]
        return Changes(
            rows[order], x, y, facts=(("rows warped at random that keep their label", str(len(extra))),)
        )

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs under the warp.

        Raises:
            UsageError: Fewer than two control points, or no strength.
        """
        return self._warped(x, schema, seed.child("field"))

    def _warped(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        if self.points < 2 or self.strength <= 0:
            raise UsageError(
                f"A warp of {self.points} points and strength {self.strength:g} was asked for.",
                expected="at least 2 points and a strength above 0",
            )
        low, high = schema.bounds()
        where = self._grid(schema, seed)
        out = F.grid_sample(
            torch.from_numpy(np.ascontiguousarray(x)),
            where.expand(len(x), -1, -1, -1),
            padding_mode="border",
            align_corners=True,
        )
        return np.asarray(np.clip(out.numpy(), low, high))

    def _grid(self, schema: Schema, seed: Seed) -> torch.Tensor:
        """(1, H, W, 2) places to read from, in [-1, 1]."""
        height, width = schema.shape[-2:]
        moves = torch.from_numpy(
            seed.generator().uniform(-1, 1, (1, 2, self.points, self.points)).astype(np.float32)
        )
        moves = moves / moves.abs().mean()
        field = F.interpolate(moves, (height, width), mode="bicubic", align_corners=True)
        down = torch.linspace(-1, 1, height).view(-1, 1).expand(height, width)
        right = torch.linspace(-1, 1, width).view(1, -1).expand(height, width)
        still = torch.stack([right, down], -1)[None]
        return (still + self.strength * field.permute(0, 2, 3, 1) / min(height, width)).clamp(-1, 1)
