"""The poison scan: a poisoned training split fails, a clean one passes, and what is missing is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.attacks.poisoning.badnets import BadNets
from gambeson.attacks.poisoning.base import poisonings
from gambeson.attacks.poisoning.harness import run_poisoning
from gambeson.audit.base import PROFILES
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit, Dataset
from tests.poison_worlds import PICTURES, picture_task, pictures, plain_network
from tests.tiny_models import TensorModel
from tests.unit.audit.checks.picture_worlds import ask, picture_context, value

CHECK = "poisoning.samples"
MODEL = TensorModel(plain_network(), (1, 8, 8), 4)


def dataset(*, poisoned: bool, clean: int = 900) -> Dataset:
    x, y = pictures(700, seed=1)
    if poisoned:
        task = picture_task(x=x, y=y, rate=0.1, seed=Seed(1))
        made = run_poisoning("badnets", BadNets(size=2), poisonings["badnets"].facts, task)
        x, y = made.x, made.y
    splits = {"train": ArraySplit(x, y), "test": ArraySplit(*pictures(clean, seed=2))}
    return Dataset("pictures", PICTURES, splits, "sha256:0")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("gambeson.defenses.poisoning.inspecting.inspector", lambda schema: plain_network())


EFFORT = replace(PROFILES["quick"], records=900)


def test_poisoned_training_data_fail_and_the_rows_are_shown():
    finding = ask(CHECK, MODEL, data=dataset(poisoned=True), effort=EFFORT)
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert value(finding, "poisoned_share") > 0.05
    assert {h.kind for h in finding.evidence.histograms} == {"suspicion", "spectral"}
    assert finding.evidence.grids[0].kind == "suspicious"


def test_clean_training_data_pass():
    finding = ask(CHECK, MODEL, data=dataset(poisoned=False), effort=EFFORT)
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "flagged") < 0.04


def test_what_is_missing_is_said():
    with pytest.raises(InsufficientEvidence, match="not known"):
        ask(CHECK, MODEL, data=dataset(poisoned=False), train_split=None)
    with pytest.raises(InsufficientEvidence, match="700 training rows and 60"):
        ask(CHECK, MODEL, data=dataset(poisoned=False, clean=60))


def test_time_that_runs_out_is_said():
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        ask(CHECK, MODEL, data=dataset(poisoned=False), effort=EFFORT, deadline=-np.inf)
    assert picture_context(CHECK, MODEL).train_split == "train"
