"""Label-only inference: copies are changed as promised, queries kept, and robust answers found."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy import label_only
from gambeson.attacks.privacy.label_only import stability
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc
from gambeson.data.dataset import ArraySplit
from gambeson.models.passes import Passes
from tests.membership_worlds import CLASSES, Nearest, records
from tests.tiny_models import ScoreModel

POOL = draw_pool(records(60, 1), records(50, 2), 100, Seed(0))


class Watching:
    """Answers like another model and keeps what it was asked."""

    def __init__(self, model, shape):
        self.asked = []
        self.model = ScoreModel(self._answer, shape, CLASSES, "probabilities")
        self._inner = model

    def _answer(self, x):
        self.asked.append(x.copy())
        return self._inner(x)


def ask(model, pool, queries, **more):
    return stability(Passes(model, 128), pool, queries, Seed(0), more.get("report", lambda n: None))


def binary(n, seed):
    rng = np.random.default_rng(seed)
    return ArraySplit((rng.random((n, 40)) < 0.3).astype(np.float32), rng.integers(0, CLASSES, n))


def first_is_one(x):
    """Class 1 where the first feature is high, else class 0."""
    return np.eye(CLASSES, dtype=np.float32)[(x.reshape(len(x), -1)[:, 0] > 0.5).astype(int)]


def test_the_first_answer_is_about_the_record_itself():
    model = Nearest(*POOL.take(np.arange(60)))
    found = ask(model, POOL, 1)
    x, y = POOL.take(np.arange(110))
    np.testing.assert_array_equal(found.predicted, model.scores(x).argmax(1))
    np.testing.assert_array_equal(found.gap(y), found.predicted == y)
    np.testing.assert_array_equal(found.kept, 0)


def test_the_budget_is_spent_exactly():
    watched = Watching(first_is_one, (40,))
    pool = draw_pool(binary(64, 1), binary(64, 2), 64, Seed(0))
    ask(watched.model, pool, 9)
    assert sum(len(x) for x in watched.asked) == 9 * 128


def test_binary_features_are_flipped_and_stay_binary():
    pool = draw_pool(binary(64, 1), binary(64, 2), 64, Seed(0))
    watched = Watching(first_is_one, (40,))
    found = ask(watched.model, pool, 9)
    assert found.changes == "features flipped"
    whole = np.concatenate(watched.asked)
    assert set(np.unique(whole)) == {0, 1}
    changed = np.abs(whole.reshape(9, 128, 40) - whole[:128]).mean((1, 2))
    np.testing.assert_allclose(changed[1:5], [0.025, 0.0572, 0.131, 0.3], atol=0.02)


def test_columns_of_a_table_keep_to_their_values():
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 5, 80), rng.normal(size=80), np.full(80, 7)], 1).astype(np.float32)
    pool = draw_pool(ArraySplit(x[:40], np.zeros(40, int)), ArraySplit(x[40:], np.ones(40, int)), 40, Seed(0))
    watched = Watching(first_is_one, (3,))
    assert "another record's" in ask(watched.model, pool, 9).changes
    for column in range(3):
        assert {float(v) for asked in watched.asked for v in asked[:, column]} <= set(x[:, column].tolist())


def test_pictures_are_moved_and_stay_in_their_range():
    rng = np.random.default_rng(0)
    split = [ArraySplit(rng.random((40, 1, 8, 8)).astype(np.float32), np.zeros(40, int)) for _ in range(2)]
    watched = Watching(first_is_one, (1, 8, 8))
    assert "moved" in ask(watched.model, draw_pool(*split, 40, Seed(0)), 9).changes
    assert all(x.min() >= 0 and x.max() <= 1 for x in watched.asked)


def test_moving_a_picture_repeats_its_edge():
    picture = np.arange(9.0).reshape(1, 3, 3)
    np.testing.assert_array_equal(label_only._move(picture, 1, -2)[0], [[0, 1, 2], [0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(label_only._move(picture, -1, -1)[0, 0], [1, 2, 2])


def test_wrong_answers_rank_below_right_ones_whatever_the_copies_say():
    found = label_only.Stability(np.array([0, 1, 1]), np.array([0.9, 0.1, 0.2]), "", 11)
    np.testing.assert_allclose(found.noise(np.array([1, 1, 0])), [0.9, 1.1, 0.2])


def test_robust_answers_betray_members_where_right_answers_alone_do_less():
    # wide regions around remembered records: the answer survives changes there
    members, others = binary(150, 1), binary(150, 2)
    pool = draw_pool(members, others, 150, Seed(0))

    def answer(x):
        distance = np.abs(x[:, None] - members.x[None]).sum(-1)
        own = np.eye(CLASSES)[members.y[distance.argmin(1)]]
        near = distance.min(1, keepdims=True) < 8
        elsewhere = np.eye(CLASSES)[x.sum(1).astype(int) % CLASSES]
        return np.where(near, own, elsewhere).astype(np.float32) * 0.9 + 0.025

    found = ask(ScoreModel(answer, (40,), CLASSES, "probabilities"), pool, 17)
    areas = [
        auc(scores[pool.truth], scores[~pool.truth])
        for scores in (found.gap(pool.labels), found.noise(pool.labels))
    ]
    assert areas[1].value > areas[0].value
    assert areas[1].interval.low > 0.8


def test_the_same_seed_gives_the_same_answers_whatever_the_batch_size():
    model = Nearest(*POOL.take(np.arange(60)))
    one, two = (stability(Passes(model, rows), POOL, 9, Seed(0), lambda n: None) for rows in (8, 128))
    np.testing.assert_array_equal(one.kept, two.kept)


def test_progress_counts_records(monkeypatch):
    monkeypatch.setattr("gambeson.attacks.privacy.pool._ROWS_AT_ONCE", 32)
    seen = []
    ask(Nearest(*POOL.take(np.arange(60))), POOL, 2, report=seen.append)
    assert seen == [32, 32, 32, 14]


@pytest.mark.parametrize("features", [1, 2, 40, 5_000])
def test_strengths_ascend_to_three_tenths(features):
    shares = [label_only._share(level, features) for level in range(4)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.3)
