from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks.ensemble import stage
from gambeson.attacks.evasion.apgd import APGD, checkpoints
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import TensorModel, perceptron


class Watched(torch.nn.Module):
    """Hands its input on, and keeps a copy."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return x


def test_checkpoints_are_those_of_the_paper_for_a_hundred_steps():
    # p = 0, .22, .41, .57, .70, .80, .87, .93, .99 (Croce & Hein 2020, section 3.1 with p_{j+1} = p_j + max(...))
    assert sorted(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_unknown_loss_is_named():
    with pytest.raises(UsageError, match="'hinge'"):
        APGD(loss="hinge")


def test_targeted_runs_once_for_each_target():
    assert APGD(steps=10, loss="targeted_dlr", targets=4).length == 44


def test_restarts_that_gain_nothing_exhaust_its_patience():
    x = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    passes = Passes(perceptron())
    samples = Samples(x, passes.scores(x).argmax(1), np.arange(8))
    space = PerturbationSet.of(ThreatModel(eps=1e-5), Schema((1, 6, 6), ("a", "b", "c", "d")))
    spent = {}
    for patience in (None, 2):
        item = stage("apgd", steps=5, loss="margin", restarts=10, patience=patience)
        found = run_attack(item.attack, item.facts, passes, samples, space, run=Run(Seed(0)))
        assert not found.fallen.any()
        spent[patience] = found.queries
    # One query to rank the classes, six a run. Two runs gain nothing; the third one's start is the last query.
    assert set(spent[None]) == {1 + 10 * 6}
    assert set(spent[2]) == {1 + 2 * 6 + 1}


def test_diverse_steps_lead_each_run_towards_a_mixture_of_scores_of_its_own():
    # The scores are the input, so two steps of eps along sign(w) end in the corner w points to, wherever they began.
    seen = []
    model = TensorModel(torch.nn.Sequential(torch.nn.Flatten(), Watched(seen)), (2,), 2)
    samples = Samples(
        torch.tensor([[1.0, 0.0]]).repeat(40, 1), torch.zeros(40, dtype=torch.long), np.arange(40)
    )
    space = PerturbationSet.of(ThreatModel(eps=0.25), Schema((2,), ("a", "b"))).with_eps(0.25)
    wide = replace(space, low=torch.full((2,), -9.0), high=torch.full((2,), 9.0), range=None)
    item = stage("apgd", steps=1, restarts=2, diverse=2)
    assert item.attack.length == 2 * (2 + 1 + 1)
    run_attack(item.attack, item.facts, Passes(model), samples, wide, run=Run(Seed(0)))
    placed, first, second = (
        seen[i][:40] - samples.x for i in (1, 3, 7)
    )  # query 0 is of the samples themselves
    assert not torch.equal(placed.abs(), torch.full((40, 2), 0.25))
    for start in (first, second):
        torch.testing.assert_close(start.abs(), torch.full((40, 2), 0.25))
        assert len({tuple(corner) for corner in start.sign().tolist()}) == 4
    assert not torch.equal(first, second)
