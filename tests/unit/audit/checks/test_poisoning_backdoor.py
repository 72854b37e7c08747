"""The backdoor scan: a planted shortcut fails, an honest model passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.audit.base import PROFILES
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests.poison_worlds import PatchModel, pictures
from tests.unit.audit.checks.picture_worlds import ask, value

CHECK = "poisoning.backdoor"
DATA = Dataset(
    "pictures", Schema((1, 8, 8), tuple("abcdef")), {"test": ArraySplit(*pictures(100))}, "sha256:0"
)
EFFORT = replace(PROFILES["quick"], samples=80, steps=30)


def test_a_model_with_a_backdoor_fails_and_its_trigger_is_drawn():
    finding = ask(CHECK, PatchModel(strength=60.0), data=DATA, effort=EFFORT)
    assert finding.outcome is Outcome.FAILED
    assert "class c stands out" in finding.title
    assert value(finding, "p_value") <= 0.05
    assert value(finding, "trigger_success") > 0.8
    assert finding.evidence.grids[0].kind == "triggers"
    assert len(finding.evidence.tables[0].rows) == 6


def test_an_honest_model_passes():
    finding = ask(CHECK, PatchModel(strength=0.0), data=DATA, effort=EFFORT)
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "p_value") > 0.05


def test_time_that_runs_out_is_said():
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        ask(CHECK, PatchModel(), data=DATA, effort=EFFORT, deadline=-np.inf)
