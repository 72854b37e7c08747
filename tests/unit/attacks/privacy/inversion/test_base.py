"""The log-odds that iterative attacks climb."""

from __future__ import annotations

import math

import pytest
import torch

from gambeson.attacks.privacy.inversion.base import inversions, log_odds
from gambeson.core.threat import Access


def test_log_odds_of_probabilities():
    scores = torch.tensor([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]]).log()
    found = log_odds(scores, torch.tensor([0, 1]))
    assert found.tolist() == pytest.approx([0.0, math.log(0.05 / 0.95)], abs=1e-5)


def test_log_odds_grow_where_the_probability_is_already_1():
    sure, surer = log_odds(torch.tensor([[50.0, 0.0], [90.0, 0.0]]), torch.tensor([0, 0]))
    assert surer - sure == pytest.approx(40)


def test_there_is_an_attack_for_every_access():
    assert {entry.facts.access for entry in inversions} == set(Access)
    assert all(entry.facts.source for entry in inversions)
