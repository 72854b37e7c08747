"""Rotations and translations: the worst of a grid for every picture, found with labels alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.harness import Run
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

ANGLE = 30.0
"""Largest rotation, in degrees."""
SHIFT = 0.1
"""Largest translation along each axis, as a share of the side, in whole pixels and at least one."""
_GRIDS = ((31, 5), (15, 5), (11, 3), (5, 3), (5, 1), (3, 1))
"""Angles, and translations along each axis; the largest is that of Engstrom et al."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A rotation about the centre by ``angle`` degrees (counter-clockwise), then a translation by pixels."""

    angle: float
    right: float = 0.0
    down: float = 0.0

    @property
    def turns_only(self) -> bool:
        """Whether nothing is translated."""
        return self.right == 0 and self.down == 0

    def allowed(self, height: int, width: int) -> bool:
        """Whether it lies within the stated ranges."""
        within = abs(self.right) <= reach(width) and abs(self.down) <= reach(height)
        return abs(self.angle) <= ANGLE and within


def reach(side: int) -> int:
    """Largest translation along an axis of this many pixels."""
    return max(1, round(SHIFT * side))


def pose_grid(most: int, height: int, width: int) -> tuple[Pose, ...]:
    """The finest grid of at most so many poses, those furthest from the upright picture first.

    Up to 31 angles by 5 x 5 translations, evenly spread; the upright picture itself is left out.

    Args:
        most: Queries that each sample may cost, at least 1.
        height: Of a picture, in pixels.
        width: Likewise.

    Source: Engstrom et al. 2019, arXiv:1712.02779, section 4.
    """
    fitting = (size for size in _GRIDS if size[0] * size[1] ** 2 - 1 <= most)
    angles, shifts = next(fitting, (3, 1))
    poses = [
        Pose(angle, right, down)
        for angle in _spread(ANGLE, angles)
        for right in _spread(reach(width), shifts)
        for down in _spread(reach(height), shifts)
    ]
    moved = [pose for pose in poses if pose != Pose(0.0)]
    far = sorted(moved, key=lambda p: -abs(p.angle) / ANGLE - (abs(p.right) + abs(p.down)) / reach(width))
    return tuple(far[:most])


def _spread(largest: float, count: int) -> list[float]:
    if count == 1:
        return [0.0]
    return [largest * (2 * i / (count - 1) - 1) for i in range(count)]


def transform(x: Tensor, pose: Pose, low: float) -> Tensor:
    """Pictures in another pose, by bilinear interpolation; what comes into view is black, that is ``low``.

    Args:
        x: (n, C, H, W).
        pose: The same for all.
        low: Smallest allowed input value.
    """
    if pose.angle == 0 and pose.turns_only:
        return x.clone()
    n, _, height, width = x.shape
    turn = math.radians(pose.angle)
    down = torch.arange(height, device=x.device)[:, None] + 0.5 - height / 2 - pose.down
    right = torch.arange(width, device=x.device)[None, :] + 0.5 - width / 2 - pose.right
    column = (math.cos(turn) * right - math.sin(turn) * down) / (width / 2)
    row = (math.sin(turn) * right + math.cos(turn) * down) / (height / 2)
    grid = torch.stack([column, row], -1).expand(n, height, width, 2)
    moved = F.grid_sample(x - low, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    # weights that sum to 1 up to rounding must not lead out of the bounds
    return torch.minimum(moved + low, x.amax((1, 2, 3), keepdim=True)).clamp_min(low)


@dataclass(frozen=True, slots=True)
class Worst:
    """What a search over poses found.

    Attributes:
        pose: (n,) int64 number of the pose that fools the model, -1 where none does.
        stands: (k, n) bool for the poses that only turn: whether the model is right there, for all samples.
        unfinished: Poses that were not tried for lack of time.
    """

    pose: Tensor
    stands: Tensor
    unfinished: int


def find_worst(oracle: Oracle, x: Tensor, y: Tensor, poses: Sequence[Pose], low: float, run: Run) -> Worst:
    """Try pose after pose on the samples that still stand; poses that only turn are tried on all.

    Args:
        oracle: Answers labels; one row per sample.
        x: (n, C, H, W) pictures.
        y: (n,) true labels.
        poses: In the order of trying, except that those that only turn come first.
        low: Smallest allowed input value.
        run: Deadline and progress: one unit of work for each sample and pose.
    """
    found = torch.full((len(y),), -1, device=y.device)
    turning = sorted(range(len(poses)), key=lambda i: not poses[i].turns_only)
    stands: list[Tensor] = []
    for place, number in enumerate(turning):
        if run.deadline is not None and run.clock() >= run.deadline:
            return Worst(found, _stack(stands, y), len(poses) - place)
        alone = poses[number].turns_only
        rows = (torch.ones_like(found) if alone else found < 0).nonzero().squeeze(1)
        if len(rows):
            wrong = oracle.labels(transform(x[rows], poses[number], low), of=rows) != y[rows]
            new = rows[wrong & (found[rows] < 0)]
            found[new] = number
            if alone:
                stands.append(~wrong)
            run.report(len(y), len(new))
    return Worst(found, _stack(stands, y), 0)


def _stack(rows: list[Tensor], y: Tensor) -> Tensor:
    return torch.stack(rows) if rows else torch.zeros(0, len(y), dtype=torch.bool, device=y.device)


def posed(x: Tensor, chosen: Tensor, poses: Sequence[Pose], low: float) -> Tensor:
    """Each picture in the pose of its own number (n,); itself where that is -1."""
    out = x.clone()
    for number in sorted(set(chosen.tolist())):
        if number >= 0:
            rows = (chosen == number).nonzero().squeeze(1)
            out[rows] = transform(x[rows], poses[number], low)
    return out


def confirm(passes: Passes, x: Tensor, y: Tensor, found: Tensor, poses: Sequence[Pose], low: float) -> Tensor:
    """Whether each pose that was found fools the untouched model on a fresh pass, and is allowed: (n,) bool."""
    height, width = x.shape[2:]
    allowed = torch.tensor([pose.allowed(height, width) for pose in poses] + [False], device=y.device)
    hit = (allowed[found]).nonzero().squeeze(1)
    fooled = torch.zeros_like(allowed).new_zeros(len(y))
    if len(hit):
        moved = posed(x[hit], found[hit], poses, low)
        fooled[hit] = passes.scores(moved).argmax(1) != y[hit]
    return fooled
