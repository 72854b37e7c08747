import numpy as np
import pytest

from gambeson.core.errors import ModelError, UsageError
from gambeson.models.callable_model import callable_model, open_callable
from gambeson.models.model import Differentiable, Model, Trainable
from gambeson.models.probing import Expected
from tests.unit.models.conftest import CANCER


def halves(x):
    return np.full((len(x), 2), 0.5)


def test_a_function_becomes_a_model():
    model = callable_model(halves, shape=(30,), classes=2)
    assert isinstance(model, Model)
    assert not isinstance(model, Differentiable | Trainable)
    np.testing.assert_array_equal(model.scores(np.zeros((3, 30), np.float32)), np.full((3, 2), 0.5))
    assert (model.info.kind, model.info.scores, model.info.digest) == ("callable", "probabilities", "")


@pytest.mark.parametrize("wrong", [{"scores": "labels"}, {"classes": 1}])
def test_wrong_declarations_are_refused(wrong):
    with pytest.raises(UsageError):
        callable_model(halves, **{"shape": (30,), "classes": 2, **wrong})


def test_a_uri_names_the_function(tmp_path, monkeypatch):
    (tmp_path / "own_scores.py").write_text("def score(x):\n    return x[:, :2] - 7\n")
    monkeypatch.chdir(tmp_path)
    model = open_callable("python:own_scores.py:score", Expected(CANCER))
    x = np.arange(60, dtype=np.float32).reshape(2, 30)
    np.testing.assert_array_equal(model.scores(x), x[:, :2] - 7)
    assert model.info.scores == "logits"


def test_nan_scores_are_a_model_error():
    model = callable_model(lambda x: np.full((len(x), 2), np.nan), shape=(30,), classes=2)
    with pytest.raises(ModelError, match="NaN"):
        model.scores(np.zeros((1, 30), np.float32))
