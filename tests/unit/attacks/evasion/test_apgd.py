from __future__ import annotations

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
from tests.tiny_models import perceptron


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
