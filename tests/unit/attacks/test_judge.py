from __future__ import annotations

import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.judge import Judge, NearestJudge, verify
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import linear

SCHEMA = Schema((2,), ("a", "b"))
X, Y = torch.full((3, 2), 0.5), torch.zeros(3, dtype=torch.int64)
BALL = PerturbationSet.of(ThreatModel(Norm.LINF, 0.1), SCHEMA).around(X)
WRONG, RIGHT = [0.0, 1.0], [1.0, 0.0]


def test_only_valid_misclassified_queries_count_and_the_first_one_stays():
    judge = Judge(Y, BALL)
    judge.observe(X + torch.tensor([[0.05], [0.3], [0.05]]), torch.tensor([WRONG, WRONG, RIGHT]))
    assert judge.fallen.tolist() == [True, False, False]
    assert judge.strays == 1
    judge.observe(X + 0.09, torch.tensor([WRONG, RIGHT, RIGHT]))
    torch.testing.assert_close(judge.adversarial[0], torch.full((2,), 0.55))
    assert judge.standing().tolist() == [1, 2]


def test_after_compaction_results_go_to_the_right_samples():
    judge = Judge(Y, BALL)
    judge.select(torch.tensor([2]))
    judge.observe(X[2:] + 0.1, torch.tensor([WRONG]))
    assert judge.fallen.tolist() == [False, False, True]


def test_verification_believes_neither_scores_nor_place():
    passes = Passes(linear([[0.0, 0.0], [10.0, -10.0]], [0.0, -1.0]))
    claims = torch.tensor([[0.6, 0.4], [0.5, 0.5], [0.9, 0.1]])  # wrong and inside, right, wrong but outside
    assert verify(passes, claims, Y, BALL).tolist() == [True, False, False]
    assert verify(passes, claims[:0], Y[:0], BALL.select(torch.tensor([], dtype=torch.int64))).tolist() == []


def test_of_several_queries_on_one_sample_the_first_hit_stays():
    judge = Judge(Y, BALL)
    of = torch.tensor([1, 1, 1, 2])
    x = X[of] + torch.tensor([[0.01], [0.02], [0.03], [0.04]])
    judge.observe(x, torch.tensor([RIGHT, WRONG, WRONG, RIGHT]), of)
    assert judge.fallen.tolist() == [False, True, False]
    torch.testing.assert_close(judge.adversarial[1], torch.full((2,), 0.52))
    assert judge.distance[1] == pytest.approx(0.02, rel=1e-4)


def test_the_nearest_hit_is_kept_and_nobody_is_done():
    judge = NearestJudge(
        Y, PerturbationSet.of(ThreatModel(Norm.LINF, 0.5), SCHEMA).with_eps(float("inf")).around(X)
    )
    judge.observe(X + 0.4, torch.tensor([WRONG, WRONG, RIGHT]))
    judge.observe(X + 0.2, torch.tensor([WRONG, RIGHT, RIGHT]))
    of = torch.tensor([0, 0, 2])
    judge.observe(X[of] + torch.tensor([[0.3], [0.1], [0.05]]), torch.tensor([WRONG, WRONG, WRONG]), of)
    assert judge.distance.tolist() == pytest.approx([0.1, 0.4, 0.05], rel=1e-4)
    assert judge.standing().tolist() == [0, 1, 2]


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2, Norm.L1, Norm.L0])
@pytest.mark.parametrize("kind", [Judge, NearestJudge])
def test_many_rows_at_once_end_like_the_rows_one_by_one(kind, norm):
    random = torch.Generator().manual_seed(4)
    eps = float("inf") if kind is NearestJudge else 1.0
    schema = Schema((5,), ("a", "b"), low=0.0, high=1.0)
    middle = torch.tensor([0.99, 0.5, 0.5, 0.5, 0.5])
    ball = PerturbationSet.of(ThreatModel(norm, 1.0), schema).with_eps(eps).around(middle.expand(3, 5))
    of = torch.randint(0, 3, (200,), generator=random)
    x = middle + (torch.rand(200, 5, generator=random) - 0.5) * (0.1 + torch.rand(200, 1, generator=random))
    x = x.clamp(0, 1)
    x[::3, :4] = middle[:4]
    x[::7] = middle + torch.tensor([0.0101, 0.0, 0.0, 0.0, 0.0])  # nearest, and outside the bounds
    scores = torch.rand(200, 2, generator=random)
    together, apart = kind(Y, ball), kind(Y, ball)
    for rows in torch.arange(200).split(40):
        together.observe(x[rows], scores[rows], of[rows])
        for row in rows:
            apart.observe(x[row : row + 1], scores[row : row + 1], of[row : row + 1])
    assert torch.equal(together.fallen, apart.fallen)
    assert torch.equal(together.distance, apart.distance)
    assert torch.equal(together.adversarial, apart.adversarial)


def test_one_query_a_sample_keeps_the_nearest_of_all_steps():
    judge = NearestJudge(Y, BALL.space.with_eps(float("inf")).around(X))
    for step, label in ((0.3, WRONG), (0.1, RIGHT), (0.2, WRONG), (0.4, WRONG), (0.2 - 1e-6, WRONG)):
        judge.observe(X + step, torch.tensor([label] * 3))
    torch.testing.assert_close(judge.adversarial, X + (0.2 - 1e-6), rtol=0, atol=0)
    assert judge.distance.tolist() == pytest.approx([0.2 - 1e-6] * 3, rel=1e-6)
