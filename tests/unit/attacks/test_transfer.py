"""Examples for a target are made on another model: how deep they go, where they stay, how they resume."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.transfer import craft_on
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import linear, perceptron

PICTURES = Schema((1, 6, 6), tuple("abcd"))


def samples(n=20):
    x = torch.rand(n, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    return Samples(x, Passes(perceptron()).scores(x).argmax(1), np.arange(n))


def test_it_goes_on_where_the_surrogate_has_long_been_fooled():
    # On a linear surrogate every step goes the same way: the perturbation is eps times the signs, although the
    # boundary lies at a tenth of it.
    x = torch.tensor([[0.51, 0.5]])
    model = linear([[1.0, 0.0], [0.0, 1.0]])
    space = PerturbationSet.of(ThreatModel(eps=0.1), Schema((2,), ("a", "b")))
    delta = craft_on(Passes(model), Samples(x, torch.tensor([0]), np.arange(1)), space, 10, Run(Seed(0)))
    torch.testing.assert_close(delta, torch.tensor([[-0.1, 0.1]]))


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2, Norm.L1])
def test_it_stays_inside_the_ball_in_any_block_size(norm):
    space = PerturbationSet.of(ThreatModel(norm, 0.2), PICTURES)
    given = samples()
    delta = craft_on(Passes(perceptron()), given, space, 5, Run(Seed(0)))
    ball = space.around(given.x)
    assert bool(ball.contains(ball.apply(delta)).all())
    assert torch.equal(delta, craft_on(Passes(perceptron(), 8), given, space, 5, Run(Seed(0))))


def test_without_time_it_says_so():
    space = PerturbationSet.of(ThreatModel(eps=0.1), PICTURES)
    with pytest.raises(InsufficientEvidence, match="0 of 5 steps"):
        craft_on(Passes(perceptron()), samples(), space, 5, Run(Seed(0), deadline=0.0, clock=lambda: 1.0))


def test_what_is_in_the_journal_is_not_made_again():
    class Shelf:
        def __init__(self):
            self.kept = {}

        def load(self, key):
            return self.kept.get(key)

        def save(self, key, arrays):
            self.kept[key] = arrays

    space, shelf = PerturbationSet.of(ThreatModel(eps=0.1), PICTURES), Shelf()
    first = craft_on(Passes(perceptron()), samples(), space, 5, Run(Seed(0), journal=shelf))
    gone = Run(Seed(0), journal=shelf, deadline=0.0, clock=lambda: 1.0)
    assert torch.equal(first, craft_on(Passes(perceptron()), samples(), space, 5, gone))
