from __future__ import annotations

import tomllib

import jsonschema
import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from gambeson.service.configuring import to_command
from gambeson.service.initialising import initialise
from gambeson.settings import config_schema, load_settings


@pytest.fixture
def pipeline(tmp_path):
    import skops.io
    from sklearn.linear_model import LogisticRegression

    import gambeson as gb

    split = gb.open_dataset("builtin:breast_cancer").split("train")
    x, y = split.take(np.arange(100))
    path = tmp_path / "model.skops"
    skops.io.dump(LogisticRegression(max_iter=50).fit(x / 100, y), path)
    return path


def written(tmp_path, model, data="builtin:breast_cancer"):
    text = initialise(str(model), data, path=tmp_path / "gambeson.toml")
    jsonschema.validate(tomllib.loads(text), config_schema())
    return to_command(load_settings(tmp_path / "gambeson.toml", {}))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_table_gets_shares_of_the_range_and_the_access_that_the_model_offers(tmp_path, pipeline):
    command = written(tmp_path, pipeline)
    threat = command.threats[0]
    assert (threat.eps, threat.unit, threat.access) == (0.1, "range", Access.SCORES)
    assert command.train_split == "train"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_existing_file_is_kept_unless_forced(tmp_path, pipeline):
    written(tmp_path, pipeline)
    path = tmp_path / "gambeson.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        initialise(str(pipeline), "builtin:breast_cancer", path=path)
    assert path.read_text() == "mine"
    initialise(str(pipeline), "builtin:breast_cancer", path=path, force=True)
    assert path.read_text() != "mine"


def test_a_model_that_cannot_be_opened_leaves_no_file(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        initialise(str(tmp_path / "no.onnx"), "builtin:digits", path=tmp_path / "gambeson.toml")
    assert list(tmp_path.iterdir()) == []
