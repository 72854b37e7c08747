"""Sparse steps for the l1 ball: how many features a step moves, and how long it is.

Source: Croce & Hein 2021, "Mind the box", arXiv:2103.01208, section 4 and algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball

FIRST_SHARE = 0.2
"""Share of the features that the first steps move."""
SPARSER = 1.5
"""A step moves this many times fewer features than the best point so far."""
_STILL_SHRINKS = 0.95
"""Below this share of its last support, the best point is still becoming sparser."""
_SHORTER, _SHORTEST = 1.5, 10.0
"""Divisors of the step: at each review, and at most."""


def interval(steps: int) -> int:
    """Steps between two reviews in a run of ``steps``."""
    return max(1, int(0.04 * steps))


def ascent(ball: Ball, delta: Tensor, grad: Tensor, share: Tensor) -> Tensor:
    """Signs of the largest gradient entries of each row, with l1 norm 1.

    Entries that push against the box are left out: a step along them is lost.

    Args:
        ball: The perturbation sets.
        delta: (n, *shape) where we stand.
        grad: (n, *shape) gradient of the loss with respect to the input.
        share: (n,) share of the features that a step moves; at least one moves.
    """
    slope = ball.space.slope(grad)
    stuck = ((delta >= ball.high) & (slope > 0)) | ((delta <= ball.low) & (slope < 0))
    flat = torch.where(stuck, 0.0, slope).flatten(1)
    count = (share * flat.shape[1]).long().clamp(1, flat.shape[1])
    least = flat.abs().topk(int(count.max()), dim=1).values.gather(1, count[:, None] - 1)
    signs = torch.where(flat.abs() >= least, flat.sign(), 0.0)
    return (signs / signs.abs().sum(1, keepdim=True).clamp_min(1)).reshape(grad.shape)


def review(best: Tensor, support: Tensor, step_size: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Support and step after a stretch of steps.

    Args:
        best: (n, *shape) best perturbations.
        support: (n,) share of the features that they moved at the last review.
        step_size: (n,) lengths so far.
        eps: Radius.

    Returns:
        (n,) share of the features that ``best`` moves; (n,) new lengths: the whole radius where that share still
        falls, else shorter; (n,) bool where it still falls.
    """
    share = (best != 0).flatten(1).float().mean(1)
    shrinks = share < _STILL_SHRINKS * support
    shorter = (step_size / _SHORTER).clamp_min(eps / _SHORTEST)
    return share, torch.where(shrinks, eps, shorter), shrinks
