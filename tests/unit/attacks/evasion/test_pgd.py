from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.evasion.pgd import PGD
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import linear

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
