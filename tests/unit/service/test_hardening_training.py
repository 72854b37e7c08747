"""How long is trained, and what another training must not go on from."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

import gambeson as gb
from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening_commands import HardenCommand
from gambeson.service.hardening_training import Scene, require_trainable, train_candidate


@pytest.fixture(scope="module")
def scene(digits_net):
    path, factory = str(digits_net / "net.safetensors"), f"{digits_net / 'net.py'}:build"
    data = gb.open_dataset("builtin:digits")
    audit = AuditCommand(path, "builtin:digits", factory=factory, threats=(ThreatModel(eps=0.1),))
    model = require_trainable(gb.open_model(path, schema=data.schema, factory=factory))
    ticks = count()
    return Scene(HardenCommand(audit, epochs=1), data, data.split("train"), model, lambda: next(ticks) * 0.01)


def trained(scene, folder, **changes):
    scene = replace(scene, command=replace(scene.command, **changes))
    return train_candidate(scene, "plain", folder, lambda total, work, note: None)


def test_small_data_gets_small_batches_and_many_epochs(scene, tmp_path):
    _, _, task = trained(scene, tmp_path, epochs=None, batch=600)
    assert task.plan.batch == 600
    assert task.plan.epochs == 200  # the most: one step in each
    assert trained(scene, tmp_path)[2].plan.batch == 64


def test_a_time_budget_decides_the_epochs_once(scene, tmp_path):
    # A step takes one tick of 0.01 s and a look two: an epoch of 17 steps takes 0.19 s, and 0.9 s hold 4 of them.
    _, _, task = trained(scene, tmp_path, epochs=None, budget=1.0)
    assert task.plan.epochs == 4
    _, _, again = trained(scene, tmp_path, epochs=None, budget=1.0, resume=True)
    assert again.plan.epochs == 4


def test_a_finished_training_is_kept_and_another_one_is_not_taken_for_it(scene, tmp_path):
    one = trained(scene, tmp_path)[0]
    same = trained(scene, tmp_path, resume=True)[0]
    other = trained(scene, tmp_path, resume=True, epochs=2)[0]
    assert one.history.losses == same.history.losses
    assert len(other.history.losses) == 2 * len(one.history.losses)


def test_a_batch_larger_than_the_data_is_refused(scene, tmp_path):
    with pytest.raises(UsageError, match="larger than"):
        trained(scene, tmp_path, batch=100_000)


def test_what_is_no_network_in_training_is_refused():
    model = gb.callable_model(lambda x: x, shape=(2,), classes=2, scores="logits")
    with pytest.raises(UsageError, match="cannot be trained further"):
        require_trainable(model)
