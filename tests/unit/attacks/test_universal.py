"""The universal perturbation stays in its set and finds the direction that a linear model shares."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.shared import fit_shared
from gambeson.attacks.universal import Universal, random_signs
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.passes import Passes
from tests.tiny_models import linear, perceptron

SCHEMA = Schema((4,), ("a", "b"), low=0.0, high=1.0)
W = torch.tensor([1.0, -2.0, 0.5, 3.0])
EPS = {Norm.LINF: 0.1, Norm.L2: 0.3, Norm.L1: 0.4, Norm.L0: 2.0}


def world(n=40, seed=1):
    x = 0.3 + 0.4 * torch.rand(n, 4, generator=torch.Generator().manual_seed(seed))
    return Samples(x, torch.zeros(n, dtype=torch.int64), np.arange(n))


def fit(norm, rows_per_pass=64):
    model = linear([(-W).tolist(), W.tolist()])
    space = PerturbationSet.of(ThreatModel(norm, EPS[norm]), SCHEMA)
    universal = Universal(Passes(model, rows_per_pass), world(), space, Seed(0))
    return universal, space, fit_shared(universal, 40, 30, Run(Seed(0))).value


@pytest.mark.parametrize("norm", list(EPS))
def test_on_a_linear_model_it_gains_what_hoelder_allows(norm):
    # All samples share one gradient, so the best common perturbation is the best one of each: eps times the
    # dual norm of w; under l0 the two largest weights times the whole range.
    _, space, value = fit(norm)
    gain = float((value[0] * W).sum())
    size = float(space.measure(value)[0])
    if norm is Norm.L0:
        assert size <= 2
        assert gain == pytest.approx(5.0, rel=0.05)
    else:
        dual = {Norm.LINF: 1, Norm.L2: 2, Norm.L1: np.inf}[norm]
        assert size <= EPS[norm] * (1 + 1e-5)
        assert gain == pytest.approx(EPS[norm] * np.linalg.norm(W.numpy(), dual), rel=0.08)


def test_what_it_makes_of_any_sample_is_inside_the_ball():
    _, space, value = fit(Norm.L2)
    ball = space.around(torch.rand(50, 4, generator=torch.Generator().manual_seed(9)))
    assert bool(ball.contains(ball.apply(value.expand_as(ball.x))).all())


def test_batch_size_changes_nothing_and_queries_are_counted():
    one, _, first = fit(Norm.LINF)
    other, _, second = fit(Norm.LINF, rows_per_pass=8)
    assert torch.equal(first, second)
    assert one.oracle.queries.tolist() == other.oracle.queries.tolist() == [30] * 40


def test_frozen_and_whole_features_are_respected():
    features = (
        Feature("a", low=0, high=1),
        Feature("b", low=0, high=1, frozen=True),
        Feature("c", Kind.INTEGER, low=0, high=10),
        Feature("d", low=0, high=1),
    )
    space = PerturbationSet.of(
        ThreatModel(Norm.LINF, 0.5, unit="range"), Schema((4,), ("a", "b"), features=features)
    )
    x = world().x.clone()
    x[:, 2] = 5
    samples = Samples(x, world().y, np.arange(40))
    universal = Universal(Passes(linear([(-W).tolist(), W.tolist()])), samples, space, Seed(0))
    value = fit_shared(universal, 40, 5, Run(Seed(0))).value
    assert value[0, 1] == 0
    ball = space.around(x)
    assert bool(ball.contains(ball.apply(value.expand_as(ball.x))).all())


def test_random_signs_are_of_the_same_size_and_differ_between_samples():
    space = PerturbationSet.of(ThreatModel(eps=0.1), Schema((1, 6, 6), tuple("abcd")))
    ball = space.around(torch.full((30, 1, 6, 6), 0.5))
    delta = torch.full((1, 1, 6, 6), 0.1)
    moved = random_signs(ball, delta, SampleRandom(torch.arange(30))) - ball.x
    torch.testing.assert_close(moved.abs(), delta.expand_as(moved))
    assert abs(float(moved.sign().mean())) < 0.1
    assert not torch.equal(moved[0], moved[1])


def test_it_is_fitted_on_a_network_too():
    model, schema = perceptron(), Schema((1, 6, 6), tuple("abcd"))
    x = torch.rand(64, 1, 6, 6, generator=torch.Generator().manual_seed(3))
    y = Passes(model).scores(x).argmax(1)
    space = PerturbationSet.of(ThreatModel(eps=0.15), schema)
    universal = Universal(Passes(model), Samples(x, y, np.arange(64)), space, Seed(0))
    ball = space.around(x)
    value = fit_shared(universal, 64, 15, Run(Seed(0))).value
    fooled = Passes(model).scores(ball.apply(value.expand_as(x))).argmax(1) != y
    noise = random_signs(ball, value, SampleRandom(torch.arange(64)))
    by_noise = Passes(model).scores(noise).argmax(1) != y
    assert int(fooled.sum()) > int(by_noise.sum()) + 10
