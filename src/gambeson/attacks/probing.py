"""The normal of the decision boundary, estimated from the labels of many random probes around one point a sample.

Probes are built, asked about and summed up in parts that stay in the processor's cache: at tens of thousands of
probes the traffic of memory, not arithmetic, is what an attack pays beside the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import rows
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.noise import starts, table
from gambeson.attacks.spectrum import Spectrum

_FLOATS_AT_ONCE = 1 << 18
"""Of all probes in one call."""
_PIECE = 64
"""Most probes of one sample that are summed together; does not depend on the other samples, so sums don't either."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive probes of one sample: its number among the asked, and the probes' numbers from ``first`` on."""

    sample: int
    first: int
    count: int


def boundary_normal(
    ask: Decisions,
    delta: Tensor,
    of: Tensor,
    count: Tensor,
    radius: Tensor,
    *,
    step: int,
    spectrum: Spectrum | None = None,
) -> Tensor:
    """Mean of the probes that are misclassified minus that of the others, per sample.

    Where both kinds were seen, the probes' own mean is taken out by its share (the variance reduction of
    HopSkipJump's equation 16).

    Args:
        ask: Asks for decisions.
        delta: (m, *shape) perturbations near the boundary.
        of: (m,) their samples.
        count: (m,) int64 probes of each sample; queries must last for them.
        radius: (m,) Euclidean length of a probe, in units of the set's scale.
        step: Number under which the probes are drawn.
        spectrum: Draws the probes from low frequencies; from all features where not given.

    Returns:
        (m, *shape) in units of the set's scale, pointing to where the class is wrong; of any length.

    Source: Chen et al. 2020, arXiv:1904.02144, section III-C.
    """
    ball = ask.problem.ball
    base = ball.x[of] + delta * ball.space.scale
    places = starts(ask.problem.rng.select(of), step, int(count.max()))
    sums = torch.zeros(2, *delta.shape, device=delta.device)
    votes = torch.zeros(len(of), device=delta.device)
    for pack in _packs(count.tolist(), delta[0].numel()):
        x = _build(ask, base, places, radius, pack, spectrum)
        who = torch.tensor([piece.sample for piece in pack for _ in range(piece.count)], device=of.device)
        vote = _ask(ask, x, base, of, who) * 2.0 - 1.0
        votes.index_add_(0, who, vote)
        _sum_up(sums, x, vote, pack)
    mean = votes / count
    baseline = torch.where(mean.abs() >= 1, 0.0, mean)
    seen = sums[0] - rows(votes, base) * base
    push = sums[1] - rows(count.to(base), base) * base
    return (seen - rows(baseline, base) * push) / ball.space.scale


def _packs(counts: Sequence[int], size: int) -> Iterator[list[Piece]]:
    """All probes, in lists of pieces that are asked about together."""
    most = max(_FLOATS_AT_ONCE // size, 1)
    pack: list[Piece] = []
    for sample, count in enumerate(counts):
        for first in range(0, count, _PIECE):
            pack.append(Piece(sample, first, min(_PIECE, count - first)))
            if sum(piece.count for piece in pack) >= most:
                yield pack
                pack = []
    if pack:
        yield pack


def _build(
    ask: Decisions, base: Tensor, places: Tensor, radius: Tensor, pack: list[Piece], spectrum: Spectrum | None
) -> Tensor:
    """(probes, *shape) inputs around the points ``base``, inside the bounds."""
    space, shape = ask.problem.ball.space, base.shape[1:]
    size = base[0].numel() if spectrum is None else spectrum.size
    numbers = table(size, base.device)
    x = torch.empty(sum(piece.count for piece in pack), *shape, device=base.device)
    at = 0
    for piece in pack:
        part = x[at : at + piece.count]
        at += piece.count
        chosen = places[piece.sample, piece.first : piece.first + piece.count]
        if spectrum is None:
            torch.index_select(numbers, 0, chosen, out=part.view(piece.count, -1))
        else:
            spectrum.to_picture(numbers[chosen], out=part)
        part.mul_(space.scale * (~space.frozen))
        length = (part / space.scale).flatten(1).norm(dim=1).clamp_min(1e-12)
        part.mul_(rows(radius[piece.sample] / length, part)).add_(base[piece.sample])
    return x.clamp_(space.low, space.high)


def _ask(ask: Decisions, x: Tensor, base: Tensor, of: Tensor, who: Tensor) -> Tensor:
    """(probes,) bool: which are misclassified."""
    ball = ask.problem.ball
    if ball.space.rules is not None or bool(ball.space.integer.any()):
        return ask.wrong((x - ball.x[of[who]]) / ball.space.scale, of[who])
    return ask.wrong_at(x, of[who])


def _sum_up(sums: Tensor, x: Tensor, vote: Tensor, pack: list[Piece]) -> None:
    """Add each sample's probes, by their votes and as they are, to ``sums`` (2, m, *shape); spoils ``x``."""
    at = 0
    for piece in pack:
        part = x[at : at + piece.count]
        sums[1, piece.sample] += part.sum(0)
        sums[0, piece.sample] += part.mul_(rows(vote[at : at + piece.count], part)).sum(0)
        at += piece.count
