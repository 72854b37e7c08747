"""Likeness to a class and to single records."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.privacy.inversion.likeness import likeness, nearer_to_training, structural_similarity
from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.attacks.randomness import SampleRandom
from tests.inversion_worlds import TABLE, examples

X = examples(4)[0]


def window_by_window(a: np.ndarray, b: np.ndarray) -> float:
    """Equation 13 of Wang et al. 2004, one 7 x 7 window after another."""
    found = []
    for row in range(a.shape[0] - 6):
        for column in range(a.shape[1] - 6):
            u, v = (p[row : row + 7, column : column + 7].ravel() for p in (a, b))
            (var_u, both), (_, var_v) = np.cov(u, v)
            top = (2 * u.mean() * v.mean() + 1e-4) * (2 * both + 9e-4)
            found.append(top / ((u.mean() ** 2 + v.mean() ** 2 + 1e-4) * (var_u + var_v + 9e-4)))
    return float(np.mean(found))


def test_structural_similarity_is_that_of_every_window():
    pairs = zip(X[:2, 0].double().numpy(), X[2:, 0].double().numpy(), strict=True)
    expected = [window_by_window(a, b) for a, b in pairs]
    assert structural_similarity(X[:2], X[2:]).tolist() == pytest.approx(expected, abs=1e-5)


def test_a_picture_is_wholly_like_itself():
    assert structural_similarity(X, X).tolist() == pytest.approx([1.0] * 4)


def test_rows_of_a_table_are_compared_by_correlation():
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (2, 64)).astype(np.float32))
    found = likeness(rows[:1], rows[1:], space_of(TABLE, rows))
    assert found.item() == pytest.approx(np.corrcoef(rows.numpy())[0, 1], abs=1e-5)


def test_a_copied_record_is_nearer_to_training():
    rng = np.random.default_rng(0)
    members, others = (torch.from_numpy(rng.random((40, 6)).astype(np.float32)) for _ in range(2))
    random = SampleRandom(torch.arange(40))
    copies = nearer_to_training(members, members, others, random)
    assert (copies[:, 0] < copies[:, 1]).float().mean() > 0.6
    fresh = torch.from_numpy(rng.random((400, 6)).astype(np.float32))
    distance = nearer_to_training(fresh, members, others, SampleRandom(torch.arange(400)))
    assert 0.4 < (distance[:, 0] < distance[:, 1]).float().mean() < 0.6
