"""Models come from and go to MLflow, data come from and go to DVC, from the command line."""

from __future__ import annotations

import pytest

from tests.trace_world import rows


def test_data_are_exported_for_dvc_and_imported_again(call, place):
    (place / "people.csv").write_text(rows())
    call("data", "add", "people", "people.csv", "--label", "label")
    code, out, _ = call("data", "export", "people@1", "out")
    assert (code, out) == (0, "wrote out/people.csv.dvc\n")
    code, out, _ = call("data", "import", "people", "out/people.csv.dvc", "--label", "label")
    assert (code, out.startswith("people@2: 1 file")) == (0, True)
    (place / "out" / "people.csv").write_text(rows(seed=1))
    assert call("data", "import", "people", "out/people.csv.dvc", "--label", "label")[0] == 2


@pytest.mark.filterwarnings("ignore")
def test_a_model_goes_to_mlflow_and_comes_back(call, place, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    (place / "churn.json").write_text('{"learner": 1}')
    call("model", "add", "churn", "churn.json", "-p", "seed=0")
    code, out, _ = call("model", "export", "churn@1", "--tracking", "runs", "--as", "theirs")
    assert (code, out.strip()) == (0, "models:/theirs/1")
    code, out, _ = call("model", "import", "churn", "models:/theirs/1", "--tracking", "runs")
    assert (code, out.startswith("churn@2: 1 file, 14 bytes")) == (0, True)
    assert call("model", "import", "churn", "models:/none/1", "--tracking", "runs")[0] == 2
