"""A transformation as a candidate: its file opens as the transformed network, and the audit attacks through it."""

from __future__ import annotations

import numpy as np
import pytest

import gambeson as gb
from gambeson.core.errors import UsageError
from gambeson.core.ports import NoProgress
from gambeson.service.hardening import run_harden
from tests.unit.service.test_hardening import command


def test_rounding_inputs_is_judged_by_an_attack_that_sees_through_it(digits_net, tmp_path):
    asked = command(digits_net, tmp_path, recipes=("bit_depth",), parameters=(("bits", 5),), epochs=None)
    run = run_harden(asked, NoProgress())
    (candidate,) = run.candidates
    before = run.before.figure("robust_accuracy").value
    assert (
        candidate.figure("robust_accuracy").value <= before + 0.1
    )  # without gradients nothing would have fallen
    assert candidate.training.steps == 0
    folder = tmp_path / "bit_depth"
    schema = gb.open_dataset("builtin:digits").schema
    model = gb.open_model(
        str(folder / "model.safetensors"), schema=schema, factory=f"{folder / 'factory.py'}:build"
    )
    x = np.random.default_rng(0).random((4, *schema.shape), np.float32)
    assert np.allclose(model.scores(x), model.scores(np.round(x * 31) / 31), atol=1e-4)


def test_a_parameter_out_of_range_is_refused_before_any_work(digits_net, tmp_path):
    asked = command(digits_net, tmp_path, recipes=("median",), parameters=(("size", 4),))
    with pytest.raises(UsageError, match="odd number"):
        run_harden(asked, NoProgress())
    assert not any(tmp_path.iterdir())
