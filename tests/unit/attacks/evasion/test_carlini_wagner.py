"""Carlini-Wagner on a model whose boundary is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.harness import Run, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm
from gambeson.models.passes import Passes
from tests.linear_world import excess, model, samples, space


@pytest.mark.parametrize(("norm", "most"), [(Norm.L2, 0.05)])
def test_on_a_linear_model_it_finds_the_nearest_point(norm, most):
    assert excess("carlini_wagner", norm, steps=200, balance=0.1) < most


def test_from_the_bounds_of_the_input_it_gets_away_although_one_search_is_too_short_for_it():
    inner = samples()
    x = (torch.arange(16.0).reshape(1, 1, 4, 4) % 2).expand_as(inner.x)
    cornered = replace(inner, x=x, y=Passes(model()).scores(x).argmax(1))
    entry = evasion["carlini_wagner"]
    attack = entry.plugin(steps=25, searches=3, learning_rate=0.1, balance=10.0)
    found = run_attack(
        attack, entry.facts, Passes(model()), cornered, space(Norm.L2, float("inf")), run=Run(Seed(0))
    )
    assert found.fallen.all()
