"""Other categories for the rows under attack, within the budget that the threat model sets."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.attacks.base import Problem

_STREAM = 12


def own_codes(problem: Problem) -> Tensor:
    """(n, c) int64 categories of the samples themselves; c is 0 where none may change."""
    rules = problem.ball.space.rules
    if rules is None:
        return torch.zeros(len(problem.y), 0, dtype=torch.int64, device=problem.y.device)
    return rules.read(problem.ball.x)


def recode(problem: Problem, codes: Tensor, t: int, chance: float) -> Tensor:
    """Categories of a candidate: one becomes another, and one changed before is taken back if that is too many.

    A change that breaks a relation by itself is not made: the row must be able to exist with the sample's numbers.

    Args:
        problem: The samples.
        codes: (n, c) categories so far, within the budget.
        t: Step, for its random numbers.
        chance: Share of the samples for which a change is tried.
    """
    rules, rng = problem.ball.space.rules, problem.rng
    if rules is None or not codes.shape[1]:
        return codes
    own = rules.read(problem.ball.x)
    counts = torch.tensor([count for _, count in rules.choices], device=codes.device)
    draw = rng.uniform(t, 3, stream=_STREAM)
    chosen = (draw[:, 1] * codes.shape[1]).long()[:, None]
    most = counts[chosen]
    hop = 1 + (draw[:, 2:] * (most - 1)).long()
    new = codes.scatter(1, chosen, (codes.gather(1, chosen) + hop) % most)
    changed = new != own
    over = changed.sum(1, keepdim=True) > rules.budget
    others = changed.scatter(1, chosen, False)
    back = torch.where(others, rng.uniform(t, codes.shape[1], stream=_STREAM + 1), -1.0)
    back = back.argmax(1, keepdim=True)
    new = torch.where(over, new.scatter(1, back, own.gather(1, back)), new)
    fits = rules.hold(problem.ball.x, rules.write(problem.ball.x, new))
    return torch.where((fits & (draw[:, 0] < chance))[:, None], new, codes)
