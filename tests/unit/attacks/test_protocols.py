"""Ensembles with a name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.ensemble import run_in_turn, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import autoattack, strongest
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import TensorModel, perceptron


def test_autoattack_is_the_published_list():
    stages = autoattack(Norm.LINF, 10)
    assert [s.label for s in stages] == [
        "apgd-ce(100)",
        "apgd-t(100, 9 targets)",
        "fab-t(100, 9 targets)",
        "square(5000)",
    ]
    assert [s.attack.length for s in stages] == [101, 909, 900, 4_999]


def test_autoattack_takes_the_classes_there_are():
    assert autoattack(Norm.L2, 5)[1].attack.targets == 4


SHAPE = (1, 6, 6)


def measured(stages, model, n=96):
    x = torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(5))
    passes = Passes(model)
    samples = Samples(x, passes.scores(x).argmax(1), np.arange(n))
    space = PerturbationSet.of(ThreatModel(eps=0.05), Schema(SHAPE, ("a", "b", "c", "d")))
    return run_in_turn(stages, passes, samples, space, run=Run(Seed(0)))


def test_strongest_breaks_what_autoattack_breaks_at_a_fraction_of_the_queries():
    ours, published = (measured(plan(Norm.LINF, 4), perceptron()) for plan in (strongest, autoattack))
    assert ours.fallen.sum() >= published.fallen.sum()
    assert ours.queries.sum() < published.queries.sum() / 10
    assert [r.tried for r in ours.records if r.label == "square(5000)"] == [0]


class Stepped(torch.nn.Module):
    """Answers rounded to a tenth: the gradient is zero everywhere."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return (self.module(x) * 10).round() / 10


def test_where_gradients_lie_random_search_gets_everything_that_stands():
    masked = TensorModel(Stepped(perceptron().module), SHAPE, 4)
    found = measured(strongest(Norm.LINF, 4), masked)
    tried = {record.label: record.tried for record in found.records}
    assert tried["square(5000)"] > 10
    alone = measured([stage("square", queries=5_000)], masked)
    assert found.fallen.sum() >= 0.95 * alone.fallen.sum()


@pytest.mark.parametrize(
    ("norm", "classes", "said"), [(Norm.L0, 10, "under l0"), (Norm.LINF, 3, "at least 4 classes")]
)
def test_autoattack_is_refused_where_it_is_not_defined(norm, classes, said):
    with pytest.raises(Unavailable, match=said):
        autoattack(norm, classes)
