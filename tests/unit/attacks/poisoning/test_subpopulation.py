import numpy as np
import pytest

from gambeson.attacks.poisoning.subpopulation import Subpopulation, k_means, standardised
from gambeson.core.errors import UsageError
from tests.poison_worlds import picture_task


def test_k_means_finds_clusters_that_are_far_apart():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.1, (30, 2)) for c in (0, 5, 10)])
    member = k_means(x, 3, np.random.default_rng(1))
    assert [len(set(member[i : i + 30])) for i in (0, 30, 60)] == [1, 1, 1]
    assert len(set(member.tolist())) == 3


def test_columns_are_standardised_and_constant_ones_become_zero():
    out = standardised(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert out.tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_all_flipped_rows_are_of_one_cluster_and_were_of_other_classes():
    task = picture_task()
    made = Subpopulation(clusters=12).poison(task)
    member = k_means(standardised(task.x), 12, task.seed.child("clusters").generator())
    assert len(set(member[made.rows].tolist())) == 1
    assert (task.y[made.rows] != 1).all()
    assert (made.y == 1).all()


def test_more_clusters_than_rows_are_refused():
    with pytest.raises(UsageError):
        Subpopulation(clusters=500).poison(picture_task())
