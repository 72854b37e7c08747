from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.evasion.square import Square
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.linear_world import attack, exact
from tests.tiny_models import ScoreModel


@pytest.mark.parametrize(
    ("query", "share"), [(5, 0.8), (11, 0.4), (51, 0.2), (201, 0.1), (501, 0.05), (9_000, 0.8 / 512)]
)
def test_area_halves_where_the_paper_says(query, share):
    assert Square()._share(query, 10_000) == pytest.approx(share)


def test_schedule_is_stretched_to_the_number_of_queries():
    assert Square()._share(11, 1_000) == Square()._share(110, 10_000)


def hidden_pattern(shape, table=False):
    """A model that only falls when most pixels carry the right sign: random search must find it by margin."""
    pattern = torch.where(torch.rand(shape, generator=torch.Generator().manual_seed(2)) < 0.5, -1.0, 1.0)
    flat = pattern.flatten().numpy()

    def scores(x):
        agreement = ((x.reshape(len(x), -1) - 0.5) @ flat) / (0.1 * flat.size)
        return np.stack([np.full(len(x), 0.8), agreement], 1).astype(np.float32)

    return ScoreModel(scores, shape, 2)


@pytest.mark.parametrize("shape", [(1, 5, 5), (3, 4, 4), (12,)])
def test_it_finds_a_hidden_pattern_of_signs(shape):
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 0.1), Schema(shape, ("a", "b")))
    given = Samples(torch.full((8, *shape), 0.5), torch.zeros(8, dtype=torch.int64), np.arange(8))
    model = hidden_pattern(shape)
    found = run_attack(Square(600), evasion["square"].facts, Passes(model), given, space, run=Run(Seed(0)))
    assert found.fallen.all()
    assert len(set(found.queries.tolist())) > 1  # each sample searches for itself


@pytest.mark.parametrize("norm", [Norm.L2, Norm.L1])
def test_on_a_linear_model_it_breaks_what_lies_well_inside_and_nothing_else(norm):
    inside = {Norm.L2: 1.7, Norm.L1: 3.5}[norm] * exact(norm).max()
    assert attack("square", norm, inside, queries=1_500).fallen.all()
    assert not attack("square", norm, 0.99 * exact(norm).min(), queries=300).fallen.any()
