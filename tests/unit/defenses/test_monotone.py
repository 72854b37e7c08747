"""Monotone trees: the corner is the worst input indeed, and what is fitted withstands more."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gambeson as gb
from gambeson.attacks.harness import Run
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.monotone import Monotone, directions, worst
from tests.training_world import SCHEMA, space

KINDS = ("xgboost", "lightgbm")


def split(n: int = 600, seed: int = 0) -> ArraySplit:
    """The first feature falls with the class, robust to 0.2 but noisy; the second is fragile, and always right."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    robust = 0.7 - 0.4 * y + rng.normal(0, 0.08, n)
    fragile = 0.49 + 0.02 * y + rng.uniform(-0.004, 0.004, n)
    return ArraySplit(np.stack([robust, fragile], 1).astype(np.float32).clip(0, 1), y)


@pytest.fixture(scope="module", params=KINDS)
def given(request, tmp_path_factory):
    x, y = split().take(np.arange(600))
    path = tmp_path_factory.mktemp("trees")
    if request.param == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        path /= "model.ubj"
        xgboost.XGBClassifier(n_estimators=20, max_depth=3).fit(x, y).save_model(path)
    else:
        lightgbm = pytest.importorskip("lightgbm")
        path /= "model.txt"
        lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(x, y).booster_.save_model(path)
    return gb.open_model(str(path), schema=SCHEMA)


@pytest.fixture(scope="module")
def fitted(given):
    notes = []
    return Monotone().fit(given, split(), space(0.1), Run(Seed(0)), notes.append), notes


def standing(model, seed: int = 7) -> float:
    """Share of rows that no point of a fine grid over the ball turns: brute force."""
    x, y = split(60, seed).take(np.arange(60))
    steps = np.linspace(-0.1, 0.1, 9, dtype=np.float32)
    grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    around = np.clip(x[:, None] + grid, 0, 1)
    said = model.scores(around.reshape(-1, 2)).argmax(1).reshape(60, -1)
    return float((said == y[:, None]).all(1).mean())


def test_it_withstands_what_the_given_model_does_not(given, fitted):
    assert standing(given) < 0.2
    assert standing(fitted[0].model) > 0.8


def test_the_corner_is_as_bad_as_the_worst_of_the_ball(fitted):
    model = fitted[0].model
    x, y = split(60, 7).take(np.arange(60))
    signs = directions(*split().take(np.arange(600)))
    moved = worst(x, y, space(0.1), signs)
    exact = ((model.scores(x).argmax(1) == y) & (model.scores(moved).argmax(1) == y)).mean()
    assert exact == standing(model)


def test_rows_move_towards_the_other_class_and_stay_in_the_bounds():
    x = np.array([[0.5, 0.5], [0.95, 0.02]], np.float32)
    moved = worst(x, np.array([0, 1]), space(0.1), np.array([-1, 1]))
    assert np.allclose(moved, [[0.4, 0.6], [1.0, 0.0]], atol=1e-6)
    assert np.allclose(worst(x, np.array([0, 1]), space(0.1), np.array([-1, 1]), share=0.0), x)


def test_a_feature_speaks_for_the_class_in_which_it_is_larger():
    x = np.array([[0.0, 1.0, 2.0, np.nan], [1.0, 0.0, 2.0, np.nan]], np.float32)
    assert directions(x, np.array([0, 1])).tolist() == [1, -1, 0, 0]


def test_every_fit_is_told_and_the_best_is_kept(fitted):
    found, notes = fitted
    assert found.complete
    assert len(found.rounds) == len(notes) == 3
    assert [r.rows for r in found.rounds] == [480, 960, 480]
    assert max(r.stand for r in found.rounds) > found.rounds[0].stand - 1


def test_what_is_saved_opens_as_the_same_model(fitted, tmp_path):
    model = fitted[0].model
    path = tmp_path / f"model{model.suffix}"
    path.write_bytes(model.saved())
    x, _ = split(20, seed=3).take(np.arange(20))
    assert np.allclose(gb.open_model(str(path), schema=SCHEMA).scores(x), model.scores(x), atol=1e-6)


def test_what_is_no_booster_and_other_norms_are_refused(given, tmp_path):
    from skops.io import dump

    x, y = split().take(np.arange(100))
    dump(LogisticRegression().fit(x, y), tmp_path / "line.skops")
    with pytest.raises(UsageError, match="augmentation"):
        Monotone().check(gb.open_model(str(tmp_path / "line.skops"), schema=SCHEMA))
    with pytest.raises(Unavailable, match="linf"):
        Monotone().fit(given, split(), space(0.1, "l2"), Run(Seed(0)), print)
