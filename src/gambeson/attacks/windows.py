"""Moves of a random search under l2 and l1: the budget of two windows goes into a bump on the first.

Places are counted within a channel: a picture of (c, h, w) has h * w of them, and a table one channel whose
places are its features.

Source: Andriushchenko et al. 2020 (Square), arXiv:1912.00049, section 3.3 and algorithm 3; its l1 form: Croce & Hein
2021, arXiv:2103.01208.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gambeson.attacks.base import Problem
from gambeson.core.threat import Norm

_TILES = 5
"""Bumps along each side of a picture at the start."""
_TINY = 1e-12
_CANCELLED = 1e-3
"""Length below which the old and the new bump cancel out; then the new one counts alone."""
_INSIDE = 1 - 5e-6
"""Room for the rounding of sums of many small terms."""


def tiles(problem: Problem) -> Tensor:
    """The start: bumps of random signs all over a picture, random signs on a table; norm eps, box kept."""
    ball, shape = problem.ball, problem.ball.x.shape[1:]
    if len(shape) != 3:
        return _scaled(problem, problem.rng.signs(0, *shape))
    channels, height, width = shape
    side = max(min(height, width) // _TILES, 1)
    tall, wide = height // side, width // side
    sign = problem.rng.signs(0, channels, tall, 1, wide, 1)
    pattern = (sign * _bump(side).to(sign.device)[:, None, :]).reshape(-1, channels, tall * side, wide * side)
    top, left = (height - tall * side) // 2, (width - wide * side) // 2
    delta = torch.zeros_like(ball.x)
    delta[:, :, top : top + tall * side, left : left + wide * side] = pattern
    return _scaled(problem, delta)


def candidate(problem: Problem, best: Tensor, share: float, t: int) -> Tensor:
    """``best`` with the budget of two windows, and what was not used, spent on the first of them.

    Args:
        problem: The samples.
        best: (n, *shape) valid perturbations.
        share: Share of the input that a window covers.
        t: Step; the windows are drawn under this number.

    Returns:
        (n, *shape) valid perturbations.
    """
    shape = best.shape[1:]
    if len(shape) == 3:
        first, second, bump = _squares(problem, share, t)
        channels = shape[0]
    else:
        first, second, bump = _features(problem, share, t)
        channels = 1
    signs = problem.rng.signs(t, channels, 1, stream=1)
    flat = best.reshape(len(best), channels, -1)
    moved = _transfer(problem, flat, first, second, signs * bump[:, None])
    return problem.ball.project(moved.reshape(best.shape))


def _transfer(problem: Problem, delta: Tensor, first: Tensor, second: Tensor, bump: Tensor) -> Tensor:
    """Algorithm 3 on (n, c, d) perturbations; windows are (n, k) places, bumps (n, c, k)."""
    order = 1 if problem.ball.space.norm is Norm.L1 else 2
    first, second = (window[:, None].expand(-1, delta.shape[1], -1) for window in (first, second))
    emptied = delta.scatter(2, first, 0.0).scatter(2, second, 0.0)
    spent = delta.abs().pow(order).sum(2)
    freed = (spent - emptied.abs().pow(order).sum(2)).clamp_min(0)
    unused = (problem.ball.space.eps**order - spent.sum(1)).clamp_min(0) / delta.shape[1]
    old = delta.gather(2, first)
    fresh = bump / _length(bump, order)
    move = fresh + old / _length(old, order)
    move = torch.where(_length(move, order) < _CANCELLED, fresh, move)
    budget = _INSIDE * (freed + unused[:, None]).pow(1 / order)
    return emptied.scatter(2, first, move / _length(move, order) * budget[:, :, None])


def _squares(problem: Problem, share: float, t: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two windows of one size in each picture, (n, k) places, and the bump for the first (n, k)."""
    height, width = problem.ball.x.shape[2:]
    side = max(round((share * height * width) ** 0.5), 3)
    most = min(height, width)
    side = min(side + 1 - side % 2, most - 1 + most % 2)
    device = problem.ball.x.device
    room = torch.tensor([height - side + 1, width - side + 1] * 2, device=device)
    corner = (problem.rng.uniform(t, 4) * room).floor().to(torch.int64)
    row, column = torch.arange(height, device=device)[:side], torch.arange(width, device=device)[:side]
    patch = (row[:, None] * width + column).flatten()
    first = corner[:, 0] * width + corner[:, 1]
    second = corner[:, 2] * width + corner[:, 3]
    bump = _bump(side).to(device)
    turned = problem.rng.uniform(t, 1, stream=2) < 0.5
    return (
        first[:, None] + patch,
        second[:, None] + patch,
        torch.where(turned, bump.T.flatten(), bump.flatten()),
    )


def _features(problem: Problem, share: float, t: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two disjoint sets of features that may move, (n, k) places, and random signs for the first (n, k)."""
    ball = problem.ball
    free = (ball.high > ball.low).flatten(1)
    d = free.shape[1]
    order = torch.where(free, problem.rng.uniform(t, d), 2.0).argsort(dim=1, stable=True)
    count = min(max(round(share * d), 1), max(d // 2, 1))
    second = order[:, count : 2 * count] if d > 1 else order
    return order[:, :count], second, problem.rng.signs(t, count, stream=2)


@lru_cache(maxsize=64)
def _bump(side: int) -> Tensor:
    """(side, side) of norm 1: a pyramid up on the upper half and one down on the lower (eq. 2 and figure 3)."""
    half = side // 2
    bump = torch.cat([_pyramid(half, side), -_pyramid(side - half, side)])
    bump /= bump.norm()
    return bump


def _pyramid(height: int, width: int) -> Tensor:
    """(height, width) of norm 1, highest in the middle: the sum of 1 / k**2 over the frames that hold a place."""
    if not height:
        return torch.zeros(0, width)
    row, column = torch.arange(height) - height // 2, torch.arange(width) - width // 2
    frame = torch.maximum(row.abs()[:, None], column.abs())  # 0 in the middle
    steps = 1.0 / torch.arange(1, int(frame.max()) + 2).square()
    tower = steps.flip(0).cumsum(0).flip(0)[frame]
    tower /= tower.norm()
    return tower


def _scaled(problem: Problem, delta: Tensor) -> Tensor:
    """``delta`` at norm eps, as far as the box allows."""
    ball = problem.ball
    delta = torch.where(ball.space.frozen, 0.0, delta)
    size = ball.space.measure(delta).clamp_min(_TINY).reshape(-1, *[1] * (delta.dim() - 1))
    return ball.project(_INSIDE * ball.space.eps * delta / size)


def _length(delta: Tensor, order: int) -> Tensor:
    """Norm over the last axis, kept as an axis; never 0."""
    size: Tensor = torch.linalg.vector_norm(delta, order, dim=2, keepdim=True)
    return size.clamp_min(_TINY)
