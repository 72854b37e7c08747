import lightgbm
import numpy as np
import pytest

from gambeson.core.errors import IntegrityError, ModelError, UsageError
from gambeson.models.lightgbm_model import open_lightgbm
from gambeson.models.model import Differentiable, Trainable
from gambeson.models.probing import Expected
from tests.unit.models.conftest import CANCER, DIGITS, cancer, digits


def trained(objective, x, y, rounds=4, **parameters):
    settings = {"objective": objective, "verbosity": -1, "num_threads": 1, "seed": 3, **parameters}
    return lightgbm.train(settings, lightgbm.Dataset(x.astype(float), y), rounds)


@pytest.fixture
def opened(saved):
    """Saves a booster and opens it."""
    return lambda booster, schema=CANCER: open_lightgbm(
        saved("m.txt", booster.model_to_string().encode()), Expected(schema)
    )


def test_one_probability_becomes_two(opened):
    x, y = cancer()
    booster = trained("binary", x, y)
    model = opened(booster)
    p = booster.predict(x)
    np.testing.assert_allclose(model.scores(x), np.stack([1 - p, p], 1), atol=1e-6)
    assert (model.info.kind, model.info.scores) == ("lightgbm", "probabilities")
    assert not isinstance(model, Differentiable)


@pytest.mark.parametrize("objective", ["multiclass", "multiclassova"])
def test_many_classes_keep_their_columns(opened, objective):
    x, y = digits()
    booster = trained(objective, x, y, num_class=10)
    model = opened(booster, DIGITS)
    np.testing.assert_allclose(model.scores(x), booster.predict(x), rtol=1e-5)
    assert model.info.scores == "probabilities"


def test_a_reference_model_has_the_hyperparameters_of_the_file(opened):
    x, y = cancer()
    options = {"num_leaves": 5, "learning_rate": 0.3, "min_data_in_leaf": 7, "lambda_l2": 2.5}
    model = opened(trained("binary", x, y, rounds=6, **options))
    assert isinstance(model, Trainable)
    half = model.fit_new(x[::2], y[::2], 5)
    own = trained("binary", x[::2], y[::2], rounds=6, **options).predict(x)
    np.testing.assert_allclose(half.scores(x)[:, 1], own, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(half.scores(x), model.fit_new(x[::2], y[::2], 5).scores(x))


def test_parameters_that_name_files_are_left_behind(saved, tmp_path):
    text = trained("binary", *cancer()).model_to_string()
    trap = tmp_path / "ran"
    text = text.replace("[seed: 3]", f"[output_model: {trap}]\n[snapshot_freq: 1]\n[lambda_l1: 0.5]")
    assert str(trap) in text
    model = open_lightgbm(saved("m.txt", text.encode()), Expected(CANCER))
    assert {"output_model", "snapshot_freq"}.isdisjoint(dict(model.recipe.parameters))
    model.fit_new(*cancer(), 0)
    assert not trap.exists()


def test_training_that_fails_is_a_model_error(opened):
    x, y = cancer()
    with pytest.raises(ModelError, match="Training LightGBM anew failed"):
        opened(trained("binary", x, y)).fit_new(x, y[:5], 0)


def test_models_that_do_not_fit_are_named(opened):
    x, y = cancer()
    with pytest.raises(UsageError, match="'regression', no classification"):
        opened(trained("regression", x, y))
    with pytest.raises(UsageError, match=r"\(30\); the data gives \(64,\)"):
        opened(trained("binary", x, y), DIGITS)


@pytest.mark.parametrize("keep", [60, 0.5])
def test_a_truncated_file_is_an_integrity_error(saved, keep):
    data = trained("binary", *cancer()).model_to_string().encode()
    kept = data[: keep if keep > 1 else int(len(data) * keep)]
    kept = kept[: kept.find(b"\nend of trees")] if b"\nend of trees" in kept else kept
    with pytest.raises(IntegrityError, match="truncated or damaged"):
        open_lightgbm(saved("m.txt", kept), Expected(CANCER))


def test_a_model_fitted_anew_is_saved_as_a_file_that_opens(opened, saved):
    x, y = cancer()
    fresh = opened(trained("binary", x, y)).fit_new(x[::2], y[::2], 5)
    again = open_lightgbm(saved(f"again{fresh.suffix}", fresh.saved()), Expected(CANCER))
    np.testing.assert_allclose(again.scores(x), fresh.scores(x), rtol=1e-6)
