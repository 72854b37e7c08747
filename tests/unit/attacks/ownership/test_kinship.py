"""The kinship test accuses copies, and independent models as seldom as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gambeson.attacks.ownership.kinship import kinship, of_labels, of_scores, stands_out, typicality
from gambeson.core.errors import InsufficientEvidence


def answers(rng, models=14, inputs=80, classes=4, copied=0.0):
    """Scores that share the task; each model has quirks, and row 1 takes over a part of row 0's."""
    task = rng.normal(0, 2, (inputs, classes))
    quirks = rng.normal(0, 1, (models, inputs, classes))
    quirks[1] = copied * quirks[0] + (1 - copied**2) ** 0.5 * quirks[1]
    return np.stack([of_scores(task + quirk) for quirk in quirks])


def test_a_copy_stands_out_and_the_more_it_copied_the_more():
    found = [kinship(answers(np.random.default_rng(0), copied=c)).p_value for c in (0.3, 0.6, 0.95)]
    assert found[0] > found[1] > found[2]
    assert found[1] < 0.01
    assert found[2] < 1e-6


@pytest.mark.parametrize("read", [None, "labels"])
def test_independent_models_are_accused_as_often_as_alpha_says(read):
    rng, p = np.random.default_rng(1), []
    for _ in range(600):
        given = answers(rng, models=10, inputs=40)
        given = np.stack([of_labels(rows) for rows in given]) if read else given
        p.append(kinship(given).p_value)
    p = np.array(p)
    for alpha in (0.01, 0.05, 0.2):
        wrong = int((p < alpha).sum())
        assert wrong <= stats.binom.ppf(0.9999, len(p), alpha), alpha
    assert 0.4 < p.mean() < 0.6


def test_a_copy_that_is_surer_of_itself_is_still_one():
    given = answers(np.random.default_rng(2), copied=0.9)
    given[1] *= 5
    assert kinship(given).p_value < 1e-4


def test_the_rank_needs_no_assumption_and_has_its_limit():
    found = stands_out(9.0, np.arange(9.0))
    assert found.rank_p_value == pytest.approx(1 / 10)
    assert stands_out(4.0, np.arange(9.0)).rank_p_value == pytest.approx(6 / 10)


def test_the_p_value_is_that_of_one_further_draw():
    others = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    t = (6 - 3) / (others.std(ddof=1) * (1 + 1 / 5) ** 0.5)
    assert stands_out(6.0, others).p_value == pytest.approx(stats.t.sf(t, 4))


def test_references_that_are_all_alike_accuse_only_what_is_above_them():
    assert stands_out(1.0, np.zeros(6)).p_value == 0.0
    assert stands_out(0.0, np.zeros(6)).p_value == 1.0


def test_fewer_than_five_references_are_too_few():
    with pytest.raises(InsufficientEvidence, match="4 independent models"):
        kinship(answers(np.random.default_rng(0), models=6))


def test_references_made_in_another_way_are_noticed():
    rng = np.random.default_rng(3)
    alike = answers(rng)
    assert typicality(alike) > 0.01
    other = alike.copy()
    other[0] = of_scores(rng.normal(0, 2, other[0].shape))
    assert typicality(other) < 1e-4


def test_models_that_are_all_the_same_accuse_nobody():
    same = np.repeat(answers(np.random.default_rng(4), models=3)[:1], 8, axis=0)
    assert kinship(same).p_value == 1.0
    assert typicality(same) == 1.0
