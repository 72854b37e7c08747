from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.ensemble import stage
from gambeson.attacks.robustness import choose_samples, require, require_independent, run_attacks
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests import masked_models
from tests.tiny_models import ScoreModel, TensorModel, linear

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
        ("rays", MODEL, ThreatModel(Norm.L2, 1.0), "does not work under l2"),
    ],
)
def test_an_attack_that_does_not_fit_is_refused_with_the_reason(attack, model, threat, words):
    with pytest.raises(Unavailable, match=words):
        require(stage(attack), model, threat)


def test_the_attacks_that_do_apply_are_named():
    with pytest.raises(Unavailable, match=r"hopskipjump.*square"):
        require(stage("pgd"), ScoreModel(lambda x: x, (1,), 2), ThreatModel())


@pytest.mark.parametrize(
    ("attack", "least"),
    [("pgd", 1), ("apgd", 2), ("fgsm", 2), ("fab", 3), ("square", 2), ("rays", 2), ("nes", 2)],
)
def test_a_budget_too_small_for_one_step_is_no_robust_accuracy(attack, least):
    for budget in range(1, least):
        with pytest.raises(Unavailable, match=f"at least {least} queries"):
            run_attacks([stage(attack)], MODEL, DATA, ThreatModel(eps=0.1, queries=budget))
    assert (
        run_attacks([stage(attack)], MODEL, DATA, ThreatModel(eps=0.1, queries=least)).robust_accuracy.n == 7
    )


def test_one_stage_that_fits_the_budget_is_enough():
    plan = [stage("fab"), stage("pgd")]
    assert run_attacks(plan, MODEL, DATA, ThreatModel(eps=0.42, queries=2)).robust_accuracy.value < 6 / 7


@pytest.mark.parametrize(
    ("kind", "words"),
    [(masked_models.Noisy, r"a second time"), (masked_models.BatchDependent, r"another batch")],
    ids=["random", "company"],
)
@pytest.mark.parametrize("attack", ["pgd", "square"])
def test_answers_that_are_luck_make_no_robust_accuracy(kind, words, attack):
    model = TensorModel(kind(MODEL.module), (1,), 2)
    with pytest.raises(Unavailable, match=words) as refused:
        run_attacks([stage(attack)], model, DATA, ThreatModel(eps=0.1))
    assert "model.eval()" in refused.value.remedy


def test_only_company_matters_to_an_audit():
    require_independent(TensorModel(masked_models.Noisy(MODEL.module), (1,), 2), DATA.split("test"), 64)
    with pytest.raises(Unavailable, match="another batch"):
        require_independent(
            TensorModel(masked_models.BatchDependent(MODEL.module), (1,), 2), DATA.split("test"), 64
        )
