import json

import pytest

from tests.corpus.look import rules_of

TREE = {"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [3, 0, 0]}


def model(tree, features="4"):
    booster = {"name": "gbtree", "model": {"trees": [tree]}}
    return json.dumps(
        {"learner": {"learner_model_param": {"num_feature": features}, "gradient_booster": booster}}
    ).encode()


def test_a_sound_tree_passes():
    assert rules_of(model(TREE), "m.json") == set()
    leaf = {"left_children": [-1], "right_children": [-1], "split_indices": [0]}
    assert rules_of(model(leaf), "m.json") == set()


@pytest.mark.parametrize(
    "change",
    [
        {"left_children": [3, -1, -1]}, {"right_children": [2, -1, 2**31]}, {"left_children": [-2, -1, -1]},
        {"split_indices": [4, 0, 0]}, {"split_indices": [-1, 0, 0]}, {"split_indices": []},
        {"left_children": [1, 2, -1]},
    ],
)  # fmt: skip
def test_a_tree_that_leaves_itself_is_found(change):
    assert rules_of(model(TREE | change), "m.json") == {"scan.trees.index"}


@pytest.mark.parametrize("data", [model({}), model(TREE, "many"), model(TREE | {"left_children": ["x"] * 3})])
def test_what_is_no_model_is_broken(data):
    assert rules_of(data, "m.json") == {"scan.trees.broken"}
