"""The attacker in the loop stays in the ball and climbs."""

from __future__ import annotations

import pytest
import torch

from gambeson.defenses.training.adversary import Adversary
from tests.training_world import batch, space


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_what_it_finds_lies_in_the_ball_and_within_the_bounds(norm):
    x = batch(16).x
    ball = space(0.3, norm).around(x)
    found = Adversary(3).climb(ball, lambda z: (z * torch.tensor([5.0, -1.0])).sum())
    assert ball.contains(found).all()


def test_on_a_linear_loss_it_reaches_the_corner():
    b = batch(16, eps=0.1)
    found = Adversary(5).climb(b.ball, lambda z: (z * torch.tensor([5.0, -1.0])).sum())
    assert torch.allclose(found, b.x + torch.tensor([0.1, -0.1]), atol=1e-6)


def test_without_a_start_one_step_is_the_fast_gradient_sign():
    b = batch(4, eps=0.1)
    found = Adversary(1, reach=0.5, start=0.0).climb(b.ball, lambda z: (z * torch.tensor([5.0, -1.0])).sum())
    assert torch.allclose(found, b.x + torch.tensor([0.05, -0.05]), atol=1e-6)


def test_the_start_is_drawn_from_the_global_generator():
    b = batch(4)
    torch.manual_seed(1)
    one = Adversary(1, reach=0.0).climb(b.ball, lambda z: z.sum())
    torch.manual_seed(1)
    assert torch.equal(one, Adversary(1, reach=0.0).climb(b.ball, lambda z: z.sum()))
    assert not torch.equal(one, Adversary(1, reach=0.0).climb(b.ball, lambda z: z.sum()))


def test_from_a_given_start_it_goes_on_and_stays_in_the_ball():
    b = batch(4, eps=0.1)
    begin = torch.tensor([0.5, -2.0]).expand(4, 2)
    found = Adversary(1, reach=0.0, start=0.0).climb(b.ball, lambda z: z.sum(), begin)
    assert torch.allclose(found, b.x + torch.tensor([0.05, -0.1]), atol=1e-6)
    shaken = Adversary(1, reach=0.0).climb(b.ball, lambda z: z.sum(), begin)
    assert not torch.equal(shaken, found)
    assert ((shaken - found).abs() <= 0.025 + 1e-6).all()  # a quarter of eps
