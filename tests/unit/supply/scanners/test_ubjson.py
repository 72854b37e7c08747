import numpy as np
import pytest
import xgboost

from tests.corpus.look import rules_of


@pytest.fixture(scope="module")
def model():
    x = np.random.default_rng(0).normal(size=(50, 3))
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(x, label=x[:, 0] > 0), 2)
    return bytes(booster.save_raw("ubj"))


def test_a_model_of_xgboost_passes(model):
    assert rules_of(model, "m.ubj") == set()


def test_a_child_outside_the_tree_is_found(model):
    place = model.index(b"left_children") + len("left_children")
    head = model.index(b"#L", place) + 10
    assert rules_of(model[:head] + (9_999).to_bytes(4, "big") + model[head + 4 :], "m.ubj") == {
        "scan.trees.index"
    }


def test_breaks_and_tails_are_found(model):
    assert rules_of(model[:-40], "m.ubj") == {"scan.json.broken"}
    assert rules_of(model + b"tail", "m.ubj") == {"scan.json.broken"}


@pytest.mark.parametrize(
    "data",
    [
        b"{i\x01a[$l#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{i\x01a[[[[",
        b"{i\x01aq",
        b"{i\x01a[$i",
        b"{i\x01aSi\xff",
    ],
)
def test_lengths_and_depths_beyond_the_file_end_it(data):
    assert rules_of(data, "m.ubj") == {"scan.json.broken"}
