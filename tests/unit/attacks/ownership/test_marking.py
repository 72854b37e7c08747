"""A network that was taught the secret answers gives them, and is no worse at its task."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.torch

import gambeson as gb
from gambeson.attacks.ownership.marking import teach
from gambeson.attacks.ownership.watermark import draw_triggers
from gambeson.core.reproduce import Seed


@pytest.fixture(scope="module")
def opened(digits_net):
    data = gb.open_dataset("builtin:digits")
    path, factory = str(digits_net / "net.safetensors"), f"{digits_net / 'net.py'}:build"
    return data, gb.open_model(path, schema=data.schema, factory=factory)


def test_the_answers_are_taught_and_the_task_is_kept(opened):
    data, model = opened
    x, y = data.split("train").take(np.arange(len(data.split("train"))))
    triggers = draw_triggers(data.schema, 10, 20, Seed(7))
    before = {name: value.clone() for name, value in model.network.module.state_dict().items()}
    found = teach(model, x, y, triggers, 60, Seed(0))
    assert found.matches >= 14
    assert found.after > found.before - 0.02
    after = model.network.module.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert set(safetensors.torch.load(found.weights)) == set(before)
