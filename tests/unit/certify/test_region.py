"""The region that a certificate speaks of."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gambeson.certify.region import Region
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm
from tests.unit.certify.nets import cube, members, region

NORMS = (Norm.LINF, Norm.L2, Norm.L1)


@pytest.mark.parametrize("norm", NORMS)
def test_no_member_is_below_the_least_value(norm):
    x = torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64).float()
    a = torch.randn(4, 7, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    least = region(x, norm, 0.3).least(a)
    for point in members(x.double(), norm, 0.3, 200):
        assert ((a * point[:, None]).flatten(2).sum(2) >= least - 1e-12).all()


def test_under_linf_the_least_value_is_reached():
    x = torch.tensor([[0.5, 0.9]])
    least = region(x, Norm.LINF, 0.2).least(torch.tensor([[[1.0, -2.0]]], dtype=torch.float64))
    assert float(least) == pytest.approx(0.3 - 2 * 1.0, abs=1e-6)


def test_far_from_the_bounds_the_least_value_is_the_one_of_the_dual_norm():
    x, a = torch.tensor([[0.5, 0.5]]), torch.tensor([[[3.0, 4.0]]], dtype=torch.float64)
    assert float(region(x, Norm.L2, 0.1).least(a)) == pytest.approx(3.5 - 0.1 * 5, abs=1e-5)
    assert float(region(x, Norm.L1, 0.1).least(a)) == pytest.approx(3.5 - 0.1 * 4, abs=1e-5)


def test_what_is_frozen_stays():
    space = cube((2,), Norm.L2, 0.1)
    space = replace(space, frozen=torch.tensor([True, False]))
    found = Region.around(space, torch.tensor([[0.5, 0.5]]))
    assert found.low[0, 0] == found.high[0, 0] == 0.5
    a = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    assert float(found.least(a)) == pytest.approx(0.5)


@pytest.mark.parametrize("norm", NORMS)
def test_it_holds_all_that_a_judge_accepts(norm):
    x = torch.tensor([[0.3, 0.6, 0.1]])
    space = cube((3,), norm, 0.2)
    limit = float(space.around(x).limit[0])
    moved = x.double().clone()
    moved[0, 1] += limit
    assert (moved <= Region.around(space, x).high).all()


def test_l0_is_refused():
    with pytest.raises(Unavailable, match="does not know the norm l0"):
        region(torch.zeros(1, 3), Norm.L0, 1)
