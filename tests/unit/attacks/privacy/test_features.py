"""Records as columns, and whether two sets of them differ without any model."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.privacy.features import features_of, told_apart_without_the_model
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from tests.membership_worlds import records

SEED = Seed(0)


def pictures(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return ArraySplit((rng.random((n, 3, 16, 16)) + shift).astype(np.float32), rng.integers(0, 3, n))


def test_small_records_are_taken_as_they_are():
    pool = draw_pool(records(30, 1), records(20, 2), 50, SEED)
    np.testing.assert_array_equal(features_of(pool, SEED), pool.take(np.arange(50))[0])


def test_large_records_are_projected_so_that_distances_stay():
    pool = draw_pool(pictures(30, 1), pictures(20, 2), 50, SEED)
    found, flat = features_of(pool, SEED), pool.take(np.arange(50))[0].reshape(50, -1)
    assert found.shape == (50, 512)
    ratio = np.linalg.norm(found[0] - found[1:], axis=1) / np.linalg.norm(flat[0] - flat[1:], axis=1)
    assert 0.8 < ratio.min() < ratio.max() < 1.2
    np.testing.assert_array_equal(found, features_of(pool, SEED))


def blind(members, others):
    pool = draw_pool(members, others, 10_000, SEED)
    return told_apart_without_the_model(pool, features_of(pool, SEED), SEED).interval


def test_splits_of_one_distribution_are_not_told_apart():
    ends = blind(records(400, 1), records(300, 2))
    assert ends.low <= 0.5 <= ends.high


def test_splits_that_differ_in_mean_in_spread_or_in_labels_are():
    rng, own = np.random.default_rng(3), records(400, 1)
    moved = ArraySplit(records(300, 2).x + 0.2, records(300, 2).y)
    wide = ArraySplit((0.5 + rng.normal(0, 0.8, (300, 6))).astype(np.float32), records(300, 2).y)
    relabelled = ArraySplit(records(300, 2).x, np.zeros(300, np.int64))
    assert min(blind(own, other).low for other in (moved, wide, relabelled)) > 0.6


def test_pictures_of_another_brightness_are_told_apart():
    assert blind(pictures(200, 1), pictures(150, 2, shift=0.05)).low > 0.6
