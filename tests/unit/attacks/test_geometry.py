from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Feature, Kind, Schema

TABLE = Schema(
    (4,),
    ("no", "yes"),
    features=(
        Feature("age", Kind.INTEGER, 17, 90),
        Feature("job", Kind.CATEGORICAL, 0, 3, ("a", "b", "c", "d")),
        Feature("rate", Kind.NUMERIC, 0, 2),
        Feature("sex", Kind.NUMERIC, 0, 1, frozen=True),
    ),
)
ROWS = torch.tensor([[40.0, 2.0, 1.5, 1.0], [17.0, 0.0, 0.0, 0.0]])
IMAGE = Schema((1, 4, 4), ("a", "b"))


def rng(n):
    return SampleRandom(torch.from_numpy(Seed(1).keys(np.arange(n))))


def table_ball(eps=0.1, norm="linf"):
    return PerturbationSet.of(ThreatModel(Norm(norm), eps, unit="range"), TABLE).around(ROWS)


def test_range_units_scale_each_feature_by_its_own_range():
    x = table_ball().apply(table_ball().project(torch.full((2, 4), 9.0)))
    # a tenth of 73 years is 7.3, cut to whole years; a tenth of [0, 2] is 0.2; the rest is frozen
    torch.testing.assert_close(x, torch.tensor([[47.0, 2.0, 1.7, 1.0], [24.0, 0.0, 0.2, 0.0]]))
    assert bool(table_ball().contains(x).all())


@pytest.mark.parametrize(
    ("column", "value"),
    [(0, 40.5), (0, 48.0), (0, 16.0), (1, 3.0), (2, 1.71), (2, 2.2), (3, 0.0), (2, float("nan"))],
)
def test_invalid_inputs_are_never_members(column, value):
    x = ROWS.clone()
    x[0, column] = value
    assert table_ball().contains(x).tolist() == [False, True]


@pytest.mark.parametrize("eps", [1.0, float("inf")])
@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), float("inf")])
def test_no_picture_outside_the_bounds_is_a_member_however_large_the_ball(eps, wrong):
    space = PerturbationSet.of(ThreatModel(Norm.L2, 1.0), Schema((1, 2, 2), ("a", "b"))).with_eps(eps)
    ball = space.around(torch.full((2, 1, 2, 2), 0.5))
    inside = torch.full((2, 1, 2, 2), 0.6)
    assert space.plain
    assert ball.contains(inside).tolist() == [True, True]
    inside[1, 0, 0, 1] = wrong
    assert ball.contains(inside).tolist() == [True, False]


def test_bounds_that_differ_by_feature_hold_for_each():
    low, high = torch.tensor([0.0, -2.0]), torch.tensor([1.0, 3.0])
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 0.5), Schema((2,), ("a", "b")))
    space = replace(space, low=low, high=high, range=None)
    assert space.holds(torch.tensor([[1.0, 3.0], [0.0, -2.0]]))
    assert not space.holds(torch.tensor([[1.5, 2.0]]))
    assert not space.holds(torch.tensor([[0.5, float("nan")]]))


def test_infinity_is_no_member_even_without_bounds():
    space = PerturbationSet.of(ThreatModel(Norm.L2, 1.0), Schema((2,), ("a", "b"))).with_eps(float("inf"))
    free = replace(space, low=torch.full((2,), -torch.inf), high=torch.full((2,), torch.inf), range=None)
    x = torch.tensor([[0.0, 9.0], [0.0, torch.inf]])
    assert free.around(torch.zeros(2, 2)).contains(x).tolist() == [True, False]


@pytest.mark.parametrize("norm", list(Norm))
def test_random_points_and_ascent_steps_stay_members_and_move(norm):
    x = torch.rand(16, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    ball = PerturbationSet.of(ThreatModel(norm, 2.0 if norm == "l0" else 0.4), IMAGE).around(x)
    delta = ball.random(rng(16), 0)
    assert bool(ball.contains(ball.apply(delta)).all())
    assert float(ball.size(ball.apply(delta)).max()) > 0
    grad = torch.randn(16, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    moved = ball.project(delta + ball.space.eps * ball.ascent(delta, grad))
    assert bool(ball.contains(ball.apply(moved)).all())


def test_l2_ascent_has_norm_one_and_l1_ascent_skips_features_at_their_bound():
    x = torch.zeros(1, 1, 4, 4)
    grad = -torch.arange(16.0).reshape(1, 1, 4, 4)  # pushes below the lower bound everywhere
    grad[0, 0, 0, 1] = 0.5
    l2 = PerturbationSet.of(ThreatModel(Norm.L2, 1.0), IMAGE).around(x)
    assert float(l2.ascent(torch.zeros_like(x), grad).norm()) == pytest.approx(1)
    l1 = PerturbationSet.of(ThreatModel(Norm.L1, 1.0), IMAGE).around(x)
    step = l1.ascent(torch.zeros_like(x), grad)
    assert step.flatten().nonzero().tolist() == [[1]]


def test_eps_beyond_the_input_range_is_refused_with_a_hint_about_pixels():
    with pytest.raises(UsageError, match="8/255"):
        PerturbationSet.of(ThreatModel(Norm.LINF, 8.0), IMAGE)


def test_unknown_frozen_feature_is_named():
    with pytest.raises(UsageError, match="'wage'"):
        PerturbationSet.of(ThreatModel(Norm.LINF, 0.1, frozen=("wage",)), TABLE)


@pytest.mark.parametrize(
    ("norm", "largest"), [(Norm.LINF, 1.0), (Norm.L2, 4.0), (Norm.L1, 16.0), (Norm.L0, 16.0)]
)
def test_a_radius_that_reaches_every_input_is_the_largest(norm, largest):
    """Sixteen values in [0, 1]."""
    PerturbationSet.of(ThreatModel(norm, largest), IMAGE)
    with pytest.raises(UsageError, match="larger than the whole input range"):
        PerturbationSet.of(ThreatModel(norm, largest * 1.01), IMAGE)
