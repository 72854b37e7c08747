from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.base import Problem, evasion
from gambeson.attacks.evasion.pgd import PGD
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes
from tests.tiny_models import linear, perceptron

DUAL = {Norm.LINF: 1, Norm.L2: 2, Norm.L1: np.inf}


@pytest.mark.parametrize("norm", list(DUAL))
def test_a_linear_model_falls_exactly_beyond_its_known_distance(norm):
    # The distance of x to the boundary w.x = 0 is |w.x| over the dual norm of w (Holder).
    w = np.array([0.3, -0.2, 0.1, 0.4], np.float32)
    x = torch.tensor([[0.55, 0.45, 0.5, 0.6]])
    distance = float(abs(x.numpy()[0] @ w) / np.linalg.norm(w, DUAL[norm]))
    model = linear([w.tolist(), (-w).tolist()])
    schema = Schema((4,), ("a", "b"), low=-10.0, high=10.0)
    for factor, falls in ((0.98, False), (1.02, True)):
        space = PerturbationSet.of(ThreatModel(norm, distance * factor), schema)
        given = Samples(x, torch.tensor([0]), np.arange(1))
        found = run_attack(PGD(40), evasion["pgd"].facts, Passes(model), given, space, run=Run(Seed(0)))
        assert bool(found.fallen[0]) is falls


def test_restarts_start_elsewhere_and_length_counts_them():
    assert PGD(steps=10, restarts=3).length == 33
    assert PGD(steps=10).length == 11


def test_momentum_is_the_published_recursion():
    # MI-FGSM written out by hand: g <- mu g + grad / |grad|_1, x <- clip(x + alpha sign(g)).
    model, eps, steps = perceptron(), 0.1, 6
    x, y = (
        torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(1)),
        torch.zeros(5, dtype=torch.int64),
    )
    expected, g = x.clone(), torch.zeros_like(x)
    for _ in range(steps):
        leaf = expected.clone().requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(model.forward(leaf), y, reduction="sum")
        grad = torch.autograd.grad(loss, leaf)[0]
        g = 0.9 * g + grad / grad.abs().sum((1, 2, 3), keepdim=True)
        expected = (expected + eps / steps * g.sign()).clamp(x - eps, x + eps).clamp(0, 1)
    attack = PGD(steps, step_size=1 / steps, random_start=False, momentum=0.9)
    ball = PerturbationSet.of(ThreatModel(eps=eps), Schema((1, 6, 6), tuple("abcd"))).around(x)
    oracle = Oracle(Passes(model), Access.GRADIENT, rows=5)
    problem = Problem(y, ball, SampleRandom(torch.arange(5)), attack.length, x[:0])
    state = attack.init(oracle, problem)
    for t in range(steps):
        state = attack.step(oracle, problem, state, t)
    torch.testing.assert_close(ball.apply(state.delta), expected, rtol=0, atol=1e-6)


def test_without_momentum_nothing_more_is_kept():
    assert set(PGD().init(None, Problem(None, _ball(), None, 1, None)).tensors()) == {"delta"}
    assert set(PGD(momentum=1).init(None, Problem(None, _ball(), None, 1, None)).tensors()) == {
        "delta",
        "velocity",
    }


def _ball():
    return PerturbationSet.of(ThreatModel(), Schema((2,), ("a", "b"))).around(torch.zeros(1, 2))


def test_a_momentum_that_makes_no_sense_is_refused():
    for momentum in (-0.1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="momentum"):
            PGD(momentum=momentum)
