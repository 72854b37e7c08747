"""Shortest way from inside a box to a hyperplane, in each norm; rows are samples."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.core.threat import Norm


def to_hyperplane(w: Tensor, c: Tensor, low: Tensor, high: Tensor, norm: Norm) -> Tensor:
    """The smallest step ``d`` with ``w . d = c`` and ``low <= d <= high``.

    Every coordinate moves towards the plane until it meets its bound: all at one pace under linf, in
    proportion to ``w`` under l2, the steepest first under l1. The distance gained is piecewise linear in the
    pace, with a kink where a coordinate stops: sort the kinks and interpolate. Where the box does not reach
    the plane, the result goes as far as it can.

    Args:
        w: (n, *shape) normal of the plane.
        c: (n,) offset, of either sign.
        low: (n, *shape) lower bound of the step, at most 0.
        high: (n, *shape) upper bound of the step, at least 0.
        norm: linf, l2 or l1.

    Returns:
        (n, *shape).

    Source: Croce & Hein 2020 (FAB), arXiv:1907.02044, section 3.1 (the problem; solved here for all rows at once).
    """
    toward = w.flatten(1).sign() * torch.where(c < 0, -1.0, 1.0)[:, None]
    rate, need = w.flatten(1).abs().double(), c.abs().double()[:, None]
    room = torch.where(toward > 0, high.flatten(1), -low.flatten(1)).double()
    step = (_steepest_first if norm is Norm.L1 else _at_one_pace)(rate, room, need, norm)
    return (toward * step.to(w.dtype)).reshape(w.shape)


def _at_one_pace(rate: Tensor, room: Tensor, need: Tensor, norm: Norm) -> Tensor:
    pace = torch.ones_like(rate) if norm is Norm.LINF else rate
    kink, order = (room / pace.clamp_min(1e-30)).sort(1)
    slope = (rate * pace).gather(1, order)
    ahead = slope.flip(1).cumsum(1).flip(1)  # slope between the kink before and this one
    gained = (ahead * (kink - torch.cat([torch.zeros_like(kink[:, :1]), kink[:, :-1]], 1))).cumsum(1)
    at = (gained < need).sum(1, keepdim=True)
    beyond = at == kink.shape[1]
    at = at.clamp_max(kink.shape[1] - 1)
    time = kink.gather(1, at) - (gained.gather(1, at) - need) / ahead.gather(1, at).clamp_min(1e-30)
    return torch.where(beyond, room, torch.minimum(time.clamp_min(0) * pace, room))


def _steepest_first(rate: Tensor, room: Tensor, need: Tensor, norm: Norm) -> Tensor:
    order = rate.argsort(dim=1, descending=True, stable=True)
    steep, most = rate.gather(1, order), room.gather(1, order)
    before = (steep * most).cumsum(1) - steep * most
    step = ((need - before) / steep.clamp_min(1e-30)).clamp_min(0).minimum(most)
    return torch.zeros_like(rate).scatter(1, order, torch.where(steep > 0, step, 0.0))
