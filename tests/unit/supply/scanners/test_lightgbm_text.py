import re

import lightgbm
import numpy as np
import pytest

from tests.corpus.look import rules_of


@pytest.fixture(scope="module")
def model():
    x = np.random.default_rng(0).normal(size=(80, 3))
    return lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(x, x[:, 0] > 0).booster_.model_to_string()


def test_a_model_of_lightgbm_passes(model):
    assert rules_of(model.encode(), "model.txt") == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [("left_child", "99"), ("right_child", "-99"), ("split_feature", "77"), ("left_child", "")],
)
def test_an_index_outside_the_tree_is_found(model, key, value):
    changed = re.sub(rf"^{key}=\S*", f"{key}={value}", model, count=1, flags=re.MULTILINE)
    assert rules_of(changed.encode(), "model.txt") == {"scan.trees.index"}


@pytest.mark.parametrize(
    "change", [("end of trees", "end"), ("num_leaves=", "num_leaves=x"), ("max_feature_idx", "other")]
)
def test_what_cannot_be_read_is_broken(model, change):
    assert rules_of(model.replace(*change).encode(), "model.txt") == {"scan.trees.broken"}
    assert rules_of(model.encode() + b"\0", "model.txt") == {"scan.trees.broken"}
