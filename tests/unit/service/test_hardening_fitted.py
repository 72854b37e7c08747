"""Hardening a model that is fitted, from the command value to the files."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier
from skops.io import dump

import gambeson as gb
from gambeson.core.errors import UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening import run_harden
from gambeson.service.hardening_commands import HardenCommand
from gambeson.service.hardening_fitted import require_fitted


@pytest.fixture(scope="module")
def hardened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    data = gb.open_dataset("builtin:breast_cancer")
    x, y = data.split("train").take(np.arange(len(data.split("train"))))
    dump(DecisionTreeClassifier(max_depth=4, random_state=0).fit(x, y), folder / "model.skops")
    audit = AuditCommand(
        model=str(folder / "model.skops"),
        data="builtin:breast_cancer",
        threats=(ThreatModel(eps=0.1, unit="range"),),
        profile="quick",
        samples=60,
        only=("evasion.scores",),
    )
    parameters = (("rounds", 2), ("rows", 60), ("queries", 40), ("held_out", 40))
    command = HardenCommand(audit, parameters=parameters, out=folder / "out")
    return run_harden(command, NoProgress()), folder / "out"


def test_the_recipe_that_fits_is_chosen_and_its_model_is_saved_in_the_models_own_format(hardened):
    run, out = hardened
    (candidate,) = run.candidates
    assert candidate.name == "augmentation"
    assert candidate.training.steps == 2
    assert candidate.model.name.endswith("model.skops")
    assert (out / "augmentation" / "model.skops").is_file()
    assert candidate.figure("robust_accuracy").n == 60


def test_every_round_is_a_point_of_the_chart(hardened):
    (candidate,) = hardened[0].candidates
    (curve,) = candidate.evidence.curves
    assert [series.x for series in curve.series] == [(1.0, 2.0), (1.0, 2.0)]


def test_a_model_that_cannot_be_fitted_is_refused_with_those_that_can():
    model = gb.callable_model(lambda x: x, shape=(2,), classes=2, scores="logits")
    with pytest.raises(UsageError, match="cannot be fitted anew") as raised:
        require_fitted(model, "augmentation", {})
    assert ".skops" in str(raised.value)
