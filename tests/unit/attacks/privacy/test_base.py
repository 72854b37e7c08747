"""The task of a privacy attack holds what an attacker may know, and not the truth."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from gambeson.attacks.privacy.base import MembershipTask, of_true_class, privacy, require_references
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed

TARGET = np.log([[0.7, 0.3], [0.1, 0.9], [0.5, 0.5]])
LABELS = np.array([0, 0, 1])


def task(included) -> MembershipTask:
    included = np.array(included, bool).reshape(-1, 3)
    return MembershipTask(
        TARGET, LABELS, np.zeros((*included.shape, 2)), included, np.empty((3, 0)), None, Seed(0)
    )


def test_the_truth_is_no_part_of_the_task():
    assert {field.name for field in fields(MembershipTask)} == {
        "target", "labels", "answers", "included", "features", "outsiders", "seed",
    }  # fmt: skip


def test_confidence_is_the_log_probability_of_the_true_class():
    np.testing.assert_allclose(np.exp(task([]).confidence), [0.7, 0.1, 0.5])
    np.testing.assert_array_equal(of_true_class(TARGET, LABELS), task([]).confidence)


def test_references_in_complementary_pairs_are_accepted():
    require_references(task([[1, 0, 1], [0, 1, 0]]), "an attack")


@pytest.mark.parametrize("included", [[], [[1, 0, 1]], [[1, 1, 0], [1, 0, 1]], [[0, 0, 0], [0, 1, 1]]])
def test_a_record_without_references_on_both_sides_is_refused(included):
    with pytest.raises(UsageError, match="one without each record"):
        require_references(task(included), "an attack")


def test_every_registered_attack_names_its_source():
    assert {"loss_threshold", "rmia"} <= set(privacy.names())
    assert all("arXiv" in entry.facts.source for entry in privacy)
