"""Trees of scikit-learn, XGBoost and LightGBM are read off their answers, to the last bit of every limit."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.extraction.grid import Grid
from gambeson.attacks.extraction.tree_paths import find_paths
from gambeson.core.errors import BudgetExhausted
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Feature, Kind, Schema

RNG = np.random.default_rng(0)
COLUMNS = (
    *(Feature(f"x{i}", Kind.NUMERIC, -3, 3) for i in range(4)),
    Feature("count", Kind.INTEGER, 0, 9),
    Feature("colour", Kind.CATEGORICAL, 0, 4, tuple("abcde")),
)
GRID = Grid.of(Schema((6,), ("no", "yes"), features=COLUMNS))


def draw(n, rng):
    x = rng.uniform(-3, 3, (n, 6))
    x[:, 4], x[:, 5] = rng.integers(0, 10, n), rng.integers(0, 5, n)
    return x.astype(np.float32)


X = draw(3_000, RNG)
Y = (
    X[:, 0] * X[:, 1] + (X[:, 4] > 5) * X[:, 2] + np.isin(X[:, 5], (1, 3)) + RNG.normal(0, 1, 3_000) > 0.5
).astype(int)


def counted(function, budget=10**9):
    spent = [0]

    def answer(x):
        spent[0] += len(x)
        if spent[0] > budget:
            raise BudgetExhausted("spent")
        return function(x)

    return answer


def near_limits(tree, rng):
    """Inputs at the limits of random leaves and one place beyond: where a copy would first be wrong."""
    boxes = rng.integers(0, len(tree.low), 500)
    places = GRID.between(tree.low[boxes], tree.high[boxes], rng.random((500, 6)))
    for f, table in tree.codes.items():
        places[:, f] = [rng.choice(np.flatnonzero(row)) for row in table[boxes]]
    for row, f in enumerate(rng.integers(0, 5, 500)):
        places[row, f] = rng.choice(
            [tree.low[boxes[row], f] - 1, tree.low[boxes[row], f], tree.high[boxes[row], f]]
        )
    return GRID.inputs(np.clip(places, GRID.low, GRID.high))


def agreement(tree, function, x):
    found = tree.find(x)
    return ((found >= 0) & (tree.answers[found] == function(x)).all(1)).mean()


@pytest.fixture(scope="module")
def deep():
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=8, min_samples_leaf=5, random_state=0).fit(X, Y)


def test_a_tree_of_depth_eight_is_read_exactly(deep):
    assert deep.get_depth() == 8

    def leaf(
        x,
    ):  # one answer for each leaf, as a score that holds the share of classes among many records would be
        return deep.apply(x)[:, None].astype(np.float32)

    tree = find_paths(counted(leaf), GRID, X[:1], checks=0, seed=Seed(0))
    assert (tree.complete, tree.repeats) == (True, False)
    assert len(tree.answers) == deep.get_n_leaves()
    assert tree.covered == 1.0  # the boxes fill all of the inputs there are
    assert agreement(tree, leaf, draw(3_000, np.random.default_rng(1))) == 1
    assert agreement(tree, leaf, near_limits(tree, np.random.default_rng(2))) == 1


def test_leaves_that_answer_alike_are_told_apart_by_random_inputs(deep):
    def scores(x):
        return deep.predict_proba(x).astype(np.float32)

    tree = find_paths(counted(scores), GRID, X[:200], checks=32, seed=Seed(0))
    assert (tree.complete, tree.repeats) == (True, True)
    assert agreement(tree, scores, draw(3_000, np.random.default_rng(1))) > 0.995
    blind = find_paths(counted(scores), GRID, X[:1], checks=0, seed=Seed(0))
    assert agreement(blind, scores, draw(3_000, np.random.default_rng(1))) < 0.995


def test_labels_are_enough_for_a_small_tree():
    from sklearn.tree import DecisionTreeClassifier

    small = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, Y)

    def labels(x):
        return small.predict(x)[:, None]

    tree = find_paths(counted(labels), GRID, X[:300], checks=64, seed=Seed(0))
    assert agreement(tree, labels, draw(3_000, np.random.default_rng(1))) > 0.99


def test_an_xgboost_tree_is_read():
    import xgboost

    table = xgboost.DMatrix(X, Y, feature_types=["q"] * 4 + ["int", "c"], enable_categorical=True)
    booster = xgboost.train({"max_depth": 5, "objective": "binary:logistic", "eta": 1.0}, table, 1)

    def scores(x):
        data = xgboost.DMatrix(x, feature_types=["q"] * 4 + ["int", "c"], enable_categorical=True)
        return booster.predict(data)[:, None]

    tree = find_paths(counted(scores), GRID, X[:1], checks=16, seed=Seed(0))
    assert tree.complete
    assert agreement(tree, scores, draw(2_000, np.random.default_rng(1))) == 1
    assert agreement(tree, scores, near_limits(tree, np.random.default_rng(2))) == 1


def test_a_lightgbm_tree_is_read():
    import lightgbm

    table = lightgbm.Dataset(X.astype(float), Y, categorical_feature=[5])
    settings = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, table, 1)

    def scores(x):
        return np.asarray(booster.predict(x.astype(float)))[:, None]

    tree = find_paths(counted(scores), GRID, X[:1], checks=16, seed=Seed(0))
    assert tree.complete
    assert agreement(tree, scores, draw(2_000, np.random.default_rng(1))) == 1
    assert agreement(tree, scores, near_limits(tree, np.random.default_rng(2))) == 1


def test_the_budget_ends_a_forest_and_what_was_found_is_right():
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(30, random_state=0).fit(X, Y)

    def scores(x):
        return forest.predict_proba(x).astype(np.float32)

    asked = counted(scores, budget=5_000)
    tree = find_paths(asked, GRID, X[:100], checks=4, seed=Seed(0))
    assert not tree.complete
    assert tree.queries <= 5_000
    found = tree.find(X[:100])
    assert (tree.answers[found[found >= 0]] == scores(X[:100][found >= 0])).all()


def test_the_same_seed_asks_the_same(deep):
    def scores(x):
        return deep.predict_proba(x).astype(np.float32)

    first, again = (find_paths(counted(scores), GRID, X[:50], checks=4, seed=Seed(3)) for _ in range(2))
    np.testing.assert_array_equal(first.low, again.low)
    assert first.queries == again.queries


def test_a_constant_is_one_box():
    tree = find_paths(lambda x: np.zeros((len(x), 1)), GRID, X[:5], checks=4, seed=Seed(0))
    assert len(tree.answers) == 1
    assert tree.covered == 1.0
    assert (tree.find(X) == 0).all()
