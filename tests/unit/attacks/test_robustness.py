from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.ensemble import stage
from gambeson.attacks.robustness import choose_samples, require, run_attacks
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests.tiny_models import ScoreModel, linear

# One feature: class 1 above 0.5. The rows have known distances to the boundary.
X = np.array([[0.1], [0.3], [0.45], [0.55], [0.7], [0.95], [0.2]], np.float32)
Y = np.array([0, 0, 0, 1, 1, 1, 1])  # the last one is misclassified when nobody attacks
DATA = Dataset("rows", Schema((1,), ("low", "high")), {"test": ArraySplit(X, Y)}, "sha256:0")
MODEL = linear([[0.0], [10.0]], [0.0, -5.0])


@pytest.mark.parametrize(("eps", "standing"), [(0.01, 6), (0.1, 4), (0.25, 2), (0.42, 1), (0.5, 0)])
def test_robust_accuracy_is_the_one_known_from_the_distances(eps, standing):
    result = run_attacks([stage("pgd", steps=20)], MODEL, DATA, ThreatModel(Norm.LINF, eps))
    assert result.clean_accuracy.value == pytest.approx(6 / 7)
    assert result.robust_accuracy.value == pytest.approx(standing / 7)
    assert result.robust_accuracy.n == 7


def test_samples_are_drawn_by_seed_without_repetition_and_in_order():
    split = ArraySplit(np.arange(100, dtype=np.float32)[:, None], np.zeros(100, np.int64))
    drawn = choose_samples(split, 30, Seed(1)).index
    assert len(set(drawn)) == 30
    assert list(drawn) == sorted(drawn)
    assert np.array_equal(drawn, choose_samples(split, 30, Seed(1)).index)
    assert not np.array_equal(drawn, choose_samples(split, 30, Seed(2)).index)
    assert len(choose_samples(split, 1_000, Seed(1))) == 100


@pytest.mark.parametrize(
    ("attack", "model", "threat", "words"),
    [
        ("pgd", MODEL, ThreatModel(access=Access.SCORES), "grants scores"),
        ("pgd", ScoreModel(lambda x: x, (1,), 2), ThreatModel(), "gives none"),
        ("square", MODEL, ThreatModel(Norm.L2, 1.0), "does not work under l2"),
    ],
)
def test_an_attack_that_does_not_fit_is_refused_with_the_reason(attack, model, threat, words):
    with pytest.raises(Unavailable, match=words):
        require(stage(attack), model, threat)
