"""Every registered recipe keeps the contract."""

from __future__ import annotations

import pytest
import torch

from gambeson.defenses.training.base import recipes
from tests.training_world import batch, ensemble, network

WIDER = {"mixed", "smoothing"}
"""Recipes that go beyond the declared perturbation set: for other norms, or with noise."""


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_attacks_within_the_ball_and_gives_a_finite_loss(name):
    recipe, b, net = recipes[name].plugin(), batch(8), ensemble()
    attacked = recipe.attack(net, b)
    inside = all(b.ball.contains(part).all() for part in attacked.reshape(-1, *b.x.shape))
    assert inside or name in WIDER
    assert not attacked.requires_grad
    loss = recipe.loss(net, b, attacked)
    loss.backward()
    assert torch.isfinite(loss)
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.module.parameters())


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_names_its_source(name):
    facts = recipes[name].facts
    assert facts.summary
    assert facts.source


@pytest.mark.parametrize("name", sorted(set(recipes.names()) - {"plain", "dverge"}))
def test_a_recipe_attacks_where_the_loss_is_larger(name):
    recipe, b, net = recipes[name].plugin(), batch(64, eps=0.2), network(3)
    attacked = recipe.attack(net, b)
    with torch.no_grad():
        assert recipe.loss(net, b, attacked) > recipe.loss(net, b, b.x)
