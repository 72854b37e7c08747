"""Which features count as attributes, and rows in which one of them is tried out."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy.attributes import Attribute, choose_attributes
from gambeson.core.errors import UsageError
from gambeson.data.schema import Feature, Kind, Schema

FEATURES = (
    Feature("age", Kind.NUMERIC, 0, 100),
    Feature("sex", Kind.CATEGORICAL, 0, 1, ("f", "m")),
    Feature("town", Kind.CATEGORICAL, 0, 29, tuple(map(str, range(30)))),
    Feature("member", Kind.INTEGER, 0, 1),
    Feature("children", Kind.INTEGER, 1, 4),
    Feature("red", Kind.INTEGER, 0, 1),
    Feature("green", Kind.INTEGER, 0, 1),
    Feature("blue", Kind.INTEGER, 0, 1),
    Feature("always", Kind.CATEGORICAL, 0, 0, ("yes",)),
)
SCHEMA = Schema((9,), ("no", "yes"), features=FEATURES, one_hot=(("red", "green", "blue"),))
ROW = np.array([[40, 1, 7, 0, 3, 0, 1, 0, 0]], np.float32)


def named(*names):
    return choose_attributes(SCHEMA, names)


def test_by_default_categories_flags_and_groups_with_few_values():
    assert [(a.name, len(a.values)) for a in choose_attributes(SCHEMA)] == [
        ("sex", 2),
        ("member", 2),
        ("red…", 3),
    ]


def test_more_values_and_whole_numbers_count_where_they_are_named():
    town, children = named("town", "children")
    assert (len(town.values), children.values) == (30, ("1", "2", "3", "4"))


def test_any_column_names_its_group_and_a_group_comes_once():
    assert [a.values for a in named("green", "blue")] == [("red", "green", "blue")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sx", "'sx' is not in the data"),
        ("age", "has no 2 to 64 values"),
        ("always", "has no 2 to 64 values"),
    ],
)
def test_what_cannot_be_inferred_is_refused(name, message):
    with pytest.raises(UsageError, match=message):
        named(name)


@pytest.mark.parametrize(("name", "code"), [("sex", 1), ("children", 2), ("red", 1), ("town", 7)])
def test_a_value_is_read_hidden_and_put(name, code):
    (attribute,) = named(name)
    assert attribute.read(ROW).tolist() == [code]
    assert attribute.hide(ROW).shape == (1, 9 - len(attribute.columns))
    for other in range(len(attribute.values)):
        tried = attribute.put(ROW, other)
        assert attribute.read(tried).tolist() == [other]
        np.testing.assert_array_equal(attribute.hide(tried), attribute.hide(ROW))
    np.testing.assert_array_equal(attribute.put(ROW, code), ROW)


def test_a_value_that_is_not_known_is_no_value():
    assert Attribute("a", (0,), ("x", "y"), (0.0, 1.0)).read(np.array([[5.0]])).tolist() == [-1]
