"""What label-only attacks have in common: a start, and the way back to the boundary."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.base import Problem
from gambeson.attacks.decisions import Decisions, shorten
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes
from tests.linear_world import WEIGHTS, exact, model, samples, space

NONE = samples().x[:0]


def decisions(norm: Norm = Norm.L2, budget: int = 1_000, donors: torch.Tensor = NONE) -> Decisions:
    given = samples()
    rng = SampleRandom(torch.arange(len(given)))
    oracle = Oracle(Passes(model()), Access.LABELS, rows=len(given), budget=budget)
    return Decisions(oracle, Problem(given.y, space(norm).around(given.x), rng, 10, donors))


def test_a_start_comes_from_a_donor_before_noise():
    given = samples()
    opposite = torch.where(given.y == 0, 1.0, 0.0)
    donors = torch.stack([given.x[int(opposite.argmax())], given.x[int(opposite.argmin())]])
    ask = decisions(donors=donors)
    delta, found = ask.start(0, 4)
    assert found.all()
    starts = (given.x + delta).flatten(1)
    assert (torch.cdist(starts, donors.flatten(1)).amin(1) < 1e-6).any()
    assert ask.wrong(delta, torch.arange(len(given))).all()


def test_noise_finds_a_start_where_there_is_no_donor():
    ask = decisions()
    _, found = ask.start(0, 40)
    assert found.all()
    assert int(ask.oracle.queries.max()) <= 40


def test_bisection_ends_within_its_tolerance_of_the_boundary_on_the_wrong_side():
    ask = decisions()
    delta, _ = ask.start(0, 40)
    of = torch.arange(len(delta))
    near = ask.bisect(delta, of, 1e-3)
    assert ask.wrong(near, of).all()
    assert not ask.wrong(near * (1 - 2e-3), of).any()


def test_what_is_spent_is_never_asked():
    ask = decisions(budget=3)
    ask.start(0, 3)
    of = torch.arange(len(samples()))
    left = ask.oracle.left
    assert ask.affordable(of).tolist() == of[left > 0].tolist()
    ask.bisect(torch.ones_like(samples().x), of, 0.0)
    assert int(ask.oracle.left.min()) == 0


@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_shortening_gives_the_share_of_the_norm(norm):
    delta = torch.tensor([[3.0, -4.0], [1.0, 0.5]])
    share = torch.tensor([0.5, 0.25])
    short = space(norm).measure(shorten(delta, share, norm))
    torch.testing.assert_close(short, share * space(norm).measure(delta))


def test_the_world_is_what_it_claims():
    given = samples()
    step = exact(Norm.LINF)
    sign = (1 - 2 * given.y.float())[:, None] * WEIGHTS.sign()
    x = given.x.flatten(1) + torch.tensor(step, dtype=torch.float32)[:, None] * 1.001 * sign
    assert (Passes(model()).scores(x.reshape(given.x.shape)).argmax(1) != given.y).all()
