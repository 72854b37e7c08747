"""The division of the data among attacker, judge and comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.audit.base import PROFILES
from gambeson.audit.checks.inversion_ground import divide_ground, level_of, plan_inversion
from gambeson.core.errors import InsufficientEvidence
from gambeson.data.dataset import ArraySplit
from tests.unit.audit.checks.inversion_context import context_for, dataset


def rows(x: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in x}


def test_nobody_shares_a_row():
    ground = divide_ground(context_for("privacy.inversion"))
    assert (len(ground.public), len(ground.judging), len(ground.members)) == (80, 160, 200)
    parts = [rows(part.x) for part in (ground.public, ground.judging, ground.members)]
    assert len(set.union(*parts)) == 440
    assert ground.held is ground.members


def test_rows_that_were_trained_on_are_left_out():
    data = dataset()
    test, train = data.splits["test"], data.splits["train"]
    both = ArraySplit(np.concatenate([test.x, train.x[:7]]), np.concatenate([test.y, train.y[:7]]))
    ground = divide_ground(
        context_for("privacy.inversion", data=replace(data, splits={"train": train, "test": both}))
    )
    assert ground.removed == 7
    assert len(ground.fresh) == 240


def test_without_a_training_split_the_judge_is_measured_on_rows_of_its_own():
    ground = divide_ground(context_for("privacy.inversion", train_split=None))
    assert (len(ground.public), len(ground.judging), len(ground.held), len(ground.members)) == (
        80,
        128,
        32,
        0,
    )
    assert not rows(ground.held.x) & (rows(ground.judging.x) | rows(ground.public.x))
    assert len(ground.reference) == len(ground.fresh)


@pytest.mark.parametrize("check", ["privacy.inversion_scores", "privacy.inversion_labels"])
def test_every_check_of_an_audit_has_the_same_ground(check):
    one, two = (divide_ground(context_for(name)) for name in ("privacy.inversion", check))
    assert torch.equal(one.public.x, two.public.x)


def test_too_few_rows():
    with pytest.raises(InsufficientEvidence, match="30 rows"):
        divide_ground(context_for("privacy.inversion", data=dataset(test=30)))


def test_labels_that_the_model_does_not_know():
    data = dataset()
    test = ArraySplit(data.splits["test"].x, data.splits["test"].y + 1)
    with pytest.raises(InsufficientEvidence, match="model's labels"):
        divide_ground(
            context_for("privacy.inversion", data=replace(data, splits={**data.splits, "test": test}))
        )


def test_a_class_that_the_judge_never_saw_is_not_wanted():
    data = dataset()
    test = data.splits["test"]
    kept = test.y != 2
    given = replace(data, splits={**data.splits, "test": ArraySplit(test.x[kept], test.y[kept])})
    made = context_for("privacy.inversion", data=given)
    assert plan_inversion(made, divide_ground(made)).classes == (0, 1, 3, 4)


def test_profiles_are_three_levels():
    levels = [
        level_of(context_for("privacy.inversion", effort=PROFILES[name]))
        for name in ("quick", "standard", "thorough")
    ]
    assert levels == [0, 1, 2]
