import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gambeson.core.errors import IntegrityError, Refused
from gambeson.models.sklearn_file import load_estimator
from tests.unit.models.conftest import cancer

X, Y = cancer()[0][:120].astype(float), cancer()[1][:120]

ESTIMATORS = [
    LogisticRegression(max_iter=5),
    SVC(),
    DecisionTreeClassifier(max_depth=3),
    RandomForestClassifier(3),
    GradientBoostingClassifier(n_estimators=2),
    HistGradientBoostingClassifier(max_iter=2),
    MLPClassifier((4,), max_iter=2),
    CalibratedClassifierCV(GaussianNB(), cv=2),
    VotingClassifier([("a", GaussianNB())]),
    make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), GaussianNB()),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", ESTIMATORS[:9], ids=lambda e: type(e).__name__)
def test_scikit_learn_s_own_estimators_load(saved, estimator):
    estimator.fit(X, Y)
    loaded = load_estimator(saved("m.skops", skops.io.dumps(estimator)))
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))


class Own(LogisticRegression):
    pass


def own_function(x):
    return x


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (Own(), "Own"),
        (make_pipeline(FunctionTransformer(own_function), GaussianNB()), "own_function"),
        (make_pipeline(FunctionTransformer(np.save), GaussianNB()), "numpy.save"),
        (make_pipeline(FunctionTransformer(np.testing.assert_equal), GaussianNB()), "numpy.testing"),
    ],
)
def test_foreign_types_and_functions_are_refused_by_name(saved, estimator, named):
    with pytest.raises(Refused, match=f"not trusted: .*{named}"):
        load_estimator(saved("m.skops", skops.io.dumps(estimator)))


def fitted(estimator):
    return estimator.fit(X, Y)


def tree_with(place, value):
    """A tree whose array ``place`` holds ``value`` at its root."""

    def damage(estimator):
        getattr(estimator.tree_, place)[0] = value

    return damage


def hist_with(place, value):
    def damage(estimator):
        estimator._predictors[0][0].nodes[place][0] = value

    return damage


def narrow(estimator):
    estimator.estimators_[0].n_features_in_ = 40


BAD_NODES = [
    ("children_left", 10**6), ("children_left", 0), ("children_right", -7), ("feature", 30), ("feature", -3),
]  # fmt: skip
BAD_BINS = [("left", 10**6), ("right", 0), ("feature_idx", 30), ("is_categorical", 1)]
DAMAGES = [
    *((DecisionTreeClassifier(max_depth=2), tree_with(*bad)) for bad in BAD_NODES),
    *((HistGradientBoostingClassifier(max_iter=1), hist_with(*bad)) for bad in BAD_BINS),
    (RandomForestClassifier(2), narrow),
]


@pytest.mark.parametrize(("estimator", "damage"), DAMAGES)
def test_a_tree_that_points_outside_itself_is_refused(saved, estimator, damage):
    fitted(estimator)
    damage(estimator)
    with pytest.raises(IntegrityError, match="points outside itself"):
        load_estimator(saved("m.skops", skops.io.dumps(estimator)))


@pytest.mark.parametrize("change", [lambda s: "{", lambda s: "[]", lambda s: json.dumps({"__class__": 3})])
def test_a_damaged_archive_is_an_integrity_error(tmp_path, saved, change):
    source, target = tmp_path / "a.skops", tmp_path / "b.skops"
    skops.io.dump(fitted(GaussianNB()), source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name).decode("latin1")
            new.writestr(name, change(data) if name == "schema.json" else data.encode("latin1"))
    with pytest.raises(IntegrityError, match="truncated or damaged"):
        load_estimator(saved("m.skops", target.read_bytes()))
