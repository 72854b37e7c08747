"""Euclidean projections onto {norm(z) <= eps} intersected with the box [low, high]; rows are samples.

Each solves  min ||z - d||_2  subject to  ||z||_p <= eps  and  low <= z <= high,  with low <= 0 <= high,
exactly: clipping after rescaling is not the projection.
"""

from __future__ import annotations

import torch
from torch import Tensor


def project_linf(d: Tensor, eps: float, low: Tensor, high: Tensor) -> Tensor:
    """Onto the l-infinity ball: both constraints are boxes. All of shape (n, k)."""
    return d.clamp(-eps, eps).clamp_(low, high)


def project_l2(d: Tensor, eps: float, low: Tensor, high: Tensor) -> Tensor:
    """Onto the l2 ball.

    The solution is clip(s d) for the one s in [0, 1] where its norm is eps. With the clipped coordinates
    fixed, s has a closed form, and it only grows as more coordinates clip: repeat until none is added.
    """
    z = d.clamp(low, high)
    far = z.norm(dim=1) > eps
    if not bool(far.any()):
        return z
    v, lo, hi = d[far].double(), low[far].double(), high[far].double()
    bound = torch.where(v > 0, hi, lo)
    clipped = torch.zeros_like(v, dtype=torch.bool)
    while True:
        free = torch.where(clipped, 0.0, v).square().sum(1)
        rest = eps**2 - torch.where(clipped, bound, 0.0).square().sum(1)
        s = (rest.clamp_min(0) / free.clamp_min(1e-300)).sqrt()[:, None]
        grown = clipped | ((s * v).abs() > bound.abs())
        if bool((grown == clipped).all()):
            break
        clipped = grown
    z[far] = torch.where(clipped, bound, s * v).to(d.dtype)
    return z


def project_l1(d: Tensor, eps: float, low: Tensor, high: Tensor) -> Tensor:
    """Onto the l1 ball.

    The solution is clip(soft-threshold(d, t)); its norm falls piecewise linearly in t, with a kink where a
    coordinate starts (t = |d|) and one where it stops being clipped (t = |d| - bound): sort the kinks, walk
    down from the top and interpolate where the norm reaches eps.
    """
    z = d.clamp(low, high)
    far = z.abs().sum(1) > eps
    if not bool(far.any()):
        return z
    v = d[far].double()
    size, bound = v.abs(), torch.where(v > 0, high[far], -low[far]).double()
    kinks, order = torch.cat([size, (size - bound).clamp_min(0)], 1).sort(1, descending=True)
    slope = torch.where(order < size.shape[1], 1.0, -1.0).to(v).cumsum(1)
    drop = kinks - torch.cat([kinks[:, 1:], torch.zeros_like(kinks[:, :1])], 1)
    norm = (slope * drop).cumsum(1)
    at = (norm < eps).sum(1, keepdim=True).clamp_max(norm.shape[1] - 1)
    before = norm.gather(1, at) - slope.gather(1, at) * drop.gather(1, at)
    t = kinks.gather(1, at) - (eps - before) / slope.gather(1, at).clamp_min(1e-300)
    z[far] = (v.sign() * (size - t).clamp_min(0).minimum(bound)).to(d.dtype)
    return z


def project_l0(d: Tensor, eps: float, low: Tensor, high: Tensor) -> Tensor:
    """Onto the set with at most ``floor(eps)`` non-zero coordinates.

    Keeping coordinate i saves d_i^2 - (d_i - clip(d_i))^2: keep those that save most. The set is not
    convex; this is a nearest point (ties broken by position).
    """
    z = d.clamp(low, high)
    k = int(min(eps, d.shape[1]))
    keep = (d.square() - (d - z).square()).topk(k, dim=1).indices
    return torch.zeros_like(z).scatter(1, keep, z.gather(1, keep))


PROJECTIONS = {"linf": project_linf, "l2": project_l2, "l1": project_l1, "l0": project_l0}
