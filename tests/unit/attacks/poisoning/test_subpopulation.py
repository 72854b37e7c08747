import pytest

from gambeson.attacks.poisoning.clusters import k_means, standardised
from gambeson.attacks.poisoning.subpopulation import Subpopulation
from gambeson.core.errors import UsageError
from tests.poison_worlds import picture_task


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
