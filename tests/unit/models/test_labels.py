import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.models.labels import column_order


@pytest.mark.parametrize(
    ("labels", "classes", "order"),
    [
        (["cat", "dog"], ("dog", "cat"), [1, 0]),
        ([0, 1, 2], ("a", "b", "c"), [0, 1, 2]),
        (np.array([2, 0, 1]), ("a", "b", "c"), [1, 2, 0]),
        ([np.False_, np.True_], ("no", "yes"), [0, 1]),
        ([0.0, 1.0], ("no", "yes"), [0, 1]),
        (["1", "0"], ("0", "1"), [1, 0]),
        ([3, 5], ("5", "3"), [1, 0]),
    ],
)
def test_columns_follow_the_data(labels, classes, order):
    assert column_order(list(labels), classes, "m") == order


@pytest.mark.parametrize("labels", [["cat", "cow"], [1, 2], ["cat"], ["cat", "cat"]])
def test_other_classes_are_an_error_that_names_both(labels):
    with pytest.raises(UsageError, match=f"{labels[0]}.*the data has dog, cat"):
        column_order(labels, ("dog", "cat"), "m")
