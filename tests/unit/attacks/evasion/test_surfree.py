"""SurFree on a model whose boundary is known."""

from __future__ import annotations

import torch

from gambeson.attacks.evasion.surfree import _Plane
from gambeson.core.threat import Norm
from tests.linear_world import excess


def test_on_a_linear_model_it_finds_the_nearest_point():
    assert excess("surfree", Norm.L2, queries=2000, frequencies=1.0) < 0.05


def test_the_circle_goes_through_the_sample():
    plane = _Plane.of(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 7.0]]))
    torch.testing.assert_close(plane.at(torch.tensor([0.0])), torch.tensor([[3.0, 4.0]]))
    turned = plane.at(torch.tensor([0.5]))
    # On the circle whose diameter goes from the sample to delta, the angle at ``turned`` is right.
    assert abs(float((turned * (turned - plane.delta)).sum())) < 1e-5
    torch.testing.assert_close(turned.norm(), torch.tensor(5.0) * torch.tensor(0.5).cos())
