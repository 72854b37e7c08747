import numpy as np
import pytest
import xgboost

from gambeson.core.errors import IntegrityError, ModelError, UsageError
from gambeson.data.schema import Feature, Schema
from gambeson.models.model import Differentiable, Trainable
from gambeson.models.probing import Expected
from gambeson.models.xgboost_model import open_xgboost
from tests.unit.models.conftest import CANCER, DIGITS, cancer, digits


def trained(objective, x, y, rounds=4, names=None, **parameters):
    table = xgboost.DMatrix(x, label=y, feature_names=names)
    return xgboost.train({"objective": objective, "max_depth": 3, **parameters}, table, rounds)


@pytest.fixture
def opened(saved):
    """Saves a booster and opens it."""
    return lambda booster, schema=CANCER, kind="json": open_xgboost(
        saved(f"m.{kind}", bytes(booster.save_raw(kind if kind == "json" else "ubj"))), Expected(schema)
    )


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_one_probability_becomes_two(opened, kind):
    x, y = cancer()
    booster = trained("binary:logistic", x, y)
    model = opened(booster, kind=kind)
    p = booster.predict(xgboost.DMatrix(x))
    np.testing.assert_allclose(model.scores(x), np.stack([1 - p, p], 1), atol=1e-6)
    assert (model.info.kind, model.info.scores) == ("xgboost", "probabilities")
    assert not isinstance(model, Differentiable)


@pytest.mark.parametrize("objective", ["binary:logitraw", "binary:hinge"])
def test_margins_are_logits(opened, objective):
    x, y = cancer()
    booster = trained(objective, x, y)
    model = opened(booster)
    margin = booster.predict(xgboost.DMatrix(x), output_margin=True)
    scores = model.scores(x)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], margin, rtol=1e-4, atol=1e-6)
    assert model.info.scores == "logits"


@pytest.mark.parametrize(
    ("objective", "kind"), [("multi:softprob", "probabilities"), ("multi:softmax", "logits")]
)
def test_many_classes_keep_their_columns(opened, objective, kind):
    x, y = digits()
    booster = trained(objective, x, y, num_class=10)
    model = opened(booster, DIGITS)
    found = booster.predict(xgboost.DMatrix(x), output_margin=kind == "logits")
    np.testing.assert_allclose(model.scores(x), found, rtol=1e-5)
    assert model.info.scores == kind


def test_early_stopping_is_respected_as_the_classifier_does(saved, tmp_path):
    x, y = cancer()
    noise = np.random.default_rng(0).integers(0, 2, len(y))
    owner = xgboost.XGBClassifier(n_estimators=30, early_stopping_rounds=2).fit(
        x, y, eval_set=[(x, noise)], verbose=False
    )
    owner.save_model(tmp_path / "owner.json")
    assert owner.best_iteration < owner.get_booster().num_boosted_rounds() - 1
    model = open_xgboost(saved("m.json", (tmp_path / "owner.json").read_bytes()), Expected(CANCER))
    np.testing.assert_allclose(model.scores(x), owner.predict_proba(x), atol=1e-6)


def test_columns_are_matched_by_name(opened):
    x, y = cancer()
    names = [f"c{i}" for i in range(30)]
    booster = trained("binary:logistic", x, y, names=names)
    schema = Schema((30,), CANCER.classes, features=tuple(Feature(n, low=0, high=1000) for n in names[::-1]))
    expected = booster.predict(xgboost.DMatrix(x, feature_names=names))
    turned = np.ascontiguousarray(x[:, ::-1])
    np.testing.assert_allclose(opened(booster, schema).scores(turned)[:, 1], expected, atol=1e-6)


def test_a_reference_model_has_the_rounds_and_depth_of_the_file(opened):
    x, y = digits()
    booster = trained("multi:softprob", x, y, rounds=3, max_depth=2, num_class=10)
    model = opened(booster, DIGITS)
    assert isinstance(model, Trainable)
    half = model.fit_new(x[::2], y[::2], 5)
    own = trained("multi:softprob", x[::2], y[::2], rounds=3, max_depth=2, num_class=10)
    np.testing.assert_allclose(half.scores(x), own.predict(xgboost.DMatrix(x)), rtol=1e-5)
    np.testing.assert_array_equal(half.scores(x), model.fit_new(x[::2], y[::2], 5).scores(x))


def test_training_that_fails_is_a_model_error(opened):
    x, y = cancer()
    with pytest.raises(ModelError, match="Training XGBoost anew failed"):
        opened(trained("binary:logistic", x, y)).fit_new(x, y + 5, 0)


def test_models_that_do_not_fit_are_named(opened):
    x, y = cancer()
    with pytest.raises(UsageError, match="'reg:squarederror', which is no classification"):
        opened(trained("reg:squarederror", x, y))
    with pytest.raises(UsageError, match=r"\(30\); the data gives \(64,\)"):
        opened(trained("binary:logistic", x, y), DIGITS)
    with pytest.raises(UsageError, match="10 classes; 2 were expected"):
        opened(trained("multi:softprob", *digits(), num_class=10), Schema((64,), ("a", "b")))


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_truncated_and_foreign_files_are_integrity_errors(saved, kind):
    raw = bytes(trained("binary:logistic", *cancer()).save_raw(kind))
    with pytest.raises(IntegrityError, match="truncated or damaged"):
        open_xgboost(saved(f"m.{kind}", raw[: len(raw) // 2]), Expected(CANCER))
    with pytest.raises(IntegrityError, match="JSON text, but no XGBoost model"):
        open_xgboost(saved("m.json", b'{"a": 1}'), Expected(CANCER))


def test_a_model_fitted_anew_is_saved_as_a_file_that_opens(opened, saved):
    x, y = cancer()
    fresh = opened(trained("binary:logistic", x, y)).fit_new(x[::2], y[::2], 5)
    again = open_xgboost(saved(f"again{fresh.suffix}", fresh.saved()), Expected(CANCER))
    np.testing.assert_array_equal(again.scores(x), fresh.scores(x))
