import functools

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from tests.corpus.archives import plain_zip
from tests.corpus.look import rules_of


@pytest.mark.parametrize(
    "value",
    [
        FunctionTransformer(np.log1p),
        {"a": np.arange(3), "b": {1}},
        functools.partial(np.exp, 1),
        np.random.default_rng(0),
    ],
)
def test_known_types_and_functions_pass(value):
    assert rules_of(skops.io.dumps(value), "m.skops") == set()


class Own:
    x = 1


@pytest.mark.parametrize(
    "value", [FunctionTransformer(np.load), FunctionTransformer(np.testing.assert_equal), Own()]
)
def test_others_are_named(value):
    assert rules_of(skops.io.dumps(value), "m.skops") == {"scan.skops.type"}


def test_a_description_that_cannot_be_read_is_broken():
    assert "scan.skops.broken" in rules_of(plain_zip({"schema.json": b"{"}), "m.skops")
