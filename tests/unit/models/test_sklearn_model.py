import numpy as np
import pandas
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from gambeson.core.errors import ModelError, UsageError
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.model import Differentiable, Trainable
from gambeson.models.probing import Expected
from gambeson.models.sklearn_model import open_sklearn
from tests.unit.models.conftest import CANCER, DIGITS, cancer, digits


@pytest.fixture
def opened(saved):
    """Saves an estimator and opens it."""
    return lambda estimator, schema=CANCER, **expected: open_sklearn(
        saved("m.skops", skops.io.dumps(estimator)), Expected(schema, **expected)
    )


def test_probabilities_are_those_of_the_estimator(opened):
    x, y = cancer()
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    model = opened(estimator)
    np.testing.assert_allclose(model.scores(x), estimator.predict_proba(x), atol=1e-6)
    assert (model.info.kind, model.info.scores) == ("sklearn", "probabilities")
    assert isinstance(model, Trainable)
    assert not isinstance(model, Differentiable)


def test_one_decision_value_becomes_two_logits(opened):
    x, y = cancer()
    estimator = make_pipeline(StandardScaler(), LinearSVC()).fit(x, y)
    scores = opened(estimator).scores(x)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], estimator.decision_function(x), rtol=1e-4)
    np.testing.assert_array_equal(scores.argmax(1), estimator.predict(x))


def test_several_decision_values_are_logits(opened):
    x, y = digits()
    estimator = LinearSVC().fit(x[:300], y[:300])
    model = opened(estimator, DIGITS)
    np.testing.assert_allclose(model.scores(x), estimator.decision_function(x), rtol=1e-4, atol=1e-5)
    assert model.info.scores == "logits"


def test_columns_follow_the_data_s_order_of_classes(opened):
    x, y = cancer()
    names = np.array(["malignant", "benign"])
    estimator = RandomForestClassifier(5, random_state=0).fit(x, names[y])
    found = opened(estimator).scores(x)
    assert list(estimator.classes_) == ["benign", "malignant"]
    np.testing.assert_allclose(found, estimator.predict_proba(x)[:, ::-1], atol=1e-6)


PEOPLE = Schema(
    (3,),
    ("low", "high"),
    features=(
        Feature("work", Kind.CATEGORICAL, 0, 2, ("farm", "office", "sea")),
        Feature("age", Kind.INTEGER, 17, 90),
        Feature("hours", Kind.NUMERIC, 0, 99),
    ),
)


def people(n):
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 3, n), rng.integers(17, 90, n), rng.uniform(0, 99, n)], 1).astype(
        np.float32
    )
    return x, ((x[:, 0] == 1) & (x[:, 1] > 30)).astype(np.int64)


def frame(x):
    """The table as its owner has it: columns in another order, categories as words."""
    words = np.array(PEOPLE.features[0].categories, object)[x[:, 0].astype(int)]
    return pandas.DataFrame({"hours": x[:, 2].astype(float), "work": words, "age": x[:, 1].astype(float)})


def pipeline():
    columns = make_column_transformer((OneHotEncoder(), ["work"]), remainder=StandardScaler())
    return make_pipeline(columns, LogisticRegression())


def test_codes_become_the_words_the_pipeline_was_fitted_on(opened):
    x, y = people(200)
    estimator = pipeline().fit(frame(x), y)
    model = opened(estimator, PEOPLE)
    np.testing.assert_allclose(model.scores(x), estimator.predict_proba(frame(x)), atol=1e-6)


def test_a_reference_pipeline_is_fitted_on_words_too(opened):
    x, y = people(200)
    model = opened(pipeline().fit(frame(x), y), PEOPLE)
    own = pipeline().fit(frame(x[:100]), y[:100])
    found = model.fit_new(x[:100], y[:100], 0).scores(x)
    np.testing.assert_allclose(found, own.predict_proba(frame(x)), atol=1e-6)


def test_a_reference_model_depends_on_its_seed_alone(opened):
    x, y = cancer()
    names = np.array(["malignant", "benign"])
    model = opened(make_pipeline(StandardScaler(), RandomForestClassifier(5)).fit(x, names[y]))
    first, again, other = (model.fit_new(x, y, seed).scores(x) for seed in (7, 7, 2**40))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.argmax(1) == y).mean() > 0.95


def test_a_reference_model_needs_every_class(opened):
    x, y = digits()
    model = opened(RandomForestClassifier(2).fit(x, y), DIGITS)
    with pytest.raises(ModelError, match="holds 9 of 10 classes"):
        model.fit_new(x[y < 9], y[y < 9], 0)


def test_fitting_that_fails_is_a_model_error(opened):
    x, y = cancer()
    model = opened(LogisticRegression(max_iter=9000).fit(x, y))
    with pytest.raises(ModelError, match="LogisticRegression anew raised ValueError"):
        model.fit_new(x[:5], np.zeros(5, np.int64), 0)


def test_features_and_classes_that_do_not_match_are_named(opened):
    x, y = digits()
    forest = RandomForestClassifier(2).fit(x, y)
    with pytest.raises(UsageError, match=r"\(64\); the data gives \(30,\)"):
        opened(forest)
    with pytest.raises(UsageError, match=r"knows the classes 0, 1, .*\(10\); the data has a, b"):
        opened(forest, Schema((64,), ("a", "b")))
    with pytest.raises(UsageError, match="no column 'hours'"):
        opened(pipeline().fit(frame(people(50)[0]), people(50)[1]), Schema((3,), ("low", "high")))


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearRegression().fit([[1.0]], [1.0])])
def test_what_is_no_fitted_classifier_is_a_usage_error(opened, estimator):
    with pytest.raises(UsageError, match="no fitted classifier"):
        opened(estimator)


def test_a_pipeline_that_rejects_the_data_is_a_model_error(opened):
    x, y = people(200)
    estimator = pipeline().fit(frame(x[x[:, 0] < 2]), y[x[:, 0] < 2])
    with pytest.raises(ModelError, match=r"raised ValueError .*unknown categories"):
        opened(estimator, PEOPLE)
