"""A plan that cannot be carried out is refused before anything is done."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.defenses.training.plan import Plan


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch": 200}, "larger than the 100 training rows"),
        ({"epochs": 0}, "0 epochs"),
        ({"optimizer": "lbfgs"}, "Unknown optimiser"),
        ({"ramp": 1.0}, "ramp"),
        ({"average": 1.0}, "average"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"learning_rate": float("nan")}, "learning rate"),
    ],
)
def test_nonsense_is_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        Plan(**{"batch": 32, **changes}).check(100)


def test_a_sound_plan_passes():
    Plan(batch=32).check(100)


@pytest.mark.parametrize(("name", "kind"), [("adam", torch.optim.AdamW), ("sgd", torch.optim.SGD)])
def test_the_optimizer_is_the_one_named(name, kind):
    assert isinstance(Plan(optimizer=name).optimize(nn.Linear(2, 2)), kind)
