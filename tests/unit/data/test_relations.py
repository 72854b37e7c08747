from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.data.relations import learn, parse_relations
from gambeson.data.schema import Determines, Feature, Kind, Linear

FEATURES = (
    Feature("a", Kind.NUMERIC, 0, 10),
    Feature("b", Kind.NUMERIC, 0, 10),
    Feature("age-of car", Kind.INTEGER, 0, 50),
    Feature("city", Kind.CATEGORICAL, 0, 1, ("Bern", "Chur")),
)


def read(text):
    return parse_relations((text,), FEATURES)[0]


@pytest.mark.parametrize(
    ("text", "terms", "constant", "sense"),
    [
        ("a < b", {"a": 1, "b": -1}, 0, "<"),
        ("a > b", {"a": -1, "b": 1}, 0, "<"),
        ("a >= 2*b - 3", {"a": -1, "b": 2}, -3, "<="),
        ("a =< b", {"a": 1, "b": -1}, 0, "<="),
        ("a == b + 1.5e0", {"a": 1, "b": -1}, -1.5, "="),
        ("3 - a = .5 * b", {"a": -1, "b": -0.5}, 3, "="),
        ("a + a = b", {"a": 2, "b": -1}, 0, "="),
        ("age-of car <= a", {"age-of car": 1, "a": -1}, 0, "<="),
    ],
)
def test_sums_are_read_as_written(text, terms, constant, sense):
    assert read(text) == Linear(text, tuple(terms.items()), constant, sense)


def test_an_arrow_is_read():
    assert read("city -> a") == Determines("city -> a", "city", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + b", "needs one comparison"),
        ("a < b < a", "needs one comparison"),
        ("", "needs one comparison"),
        ("a < ", "nothing on one side"),
        ("a < c", "'c', which is no sum"),
        ("a < b c", "no sum"),
        ("a < b * 2", "no sum"),
        ("2 < 3", "relates no features"),
        ("a <= a", "relates no features"),
        ("city < a", "computes with the category 'city'"),
        ("a -> b", "needs a category before the arrow"),
        ("city -> city", "needs a category before the arrow"),
        ("city -> zip", "unknown feature 'zip'"),
        ("a = b + 20", "can hold for no row"),
        ("a + b < 0", "can hold for no row"),
        ("a > 10", "can hold for no row"),
        ("a >= 10.1", "can hold for no row"),
    ],
)
def test_what_makes_no_sense_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        read(text)


def test_what_holds_at_the_bound_alone_is_taken():
    assert read("a >= 10").sense == "<="


def rows(*pairs):
    return np.array([(0, value, 0, code) for code, value in pairs], np.float32)


def test_what_a_category_determines_is_learnt_piece_by_piece():
    first = learn(read("city -> b"), FEATURES, rows((0, 5), (0, 5)), "rows")
    np.testing.assert_equal(first.values, (5.0, np.nan))
    assert learn(first, FEATURES, rows((1, 7), (0, 5)), "rows").values == (5, 7)


@pytest.mark.parametrize("seen", [(), ((0, 5),)])
def test_a_category_with_two_values_is_refused_by_name(seen):
    relation = learn(read("city -> b"), FEATURES, rows(*seen).reshape(-1, 4), "rows.csv")
    more = rows((0, 6)) if seen else rows((0, 5), (0, 6))
    with pytest.raises(UsageError, match=r"rows.csv: city='Bern' comes with b 5 and 6"):
        learn(relation, FEATURES, more, "rows.csv")


@pytest.mark.parametrize(("text", "row", "holds"), [
    ("a = b + 1", (2, 1), True), ("a = b + 1", (2.001, 1), False), ("a < b", (1, 1), False),
    ("a <= b", (1, 1), True), ("a <= b", (1.1, 1), False), ("a < b", (float("nan"), 1), False),
])  # fmt: skip
def test_rows_are_held_against_it(text, row, holds):
    columns = {"a": np.array([row[0]], np.float32), "b": np.array([row[1]], np.float32)}
    assert read(text).holds(columns).tolist() == [holds]


def test_the_rounding_of_a_sum_in_float32_is_no_fault():
    a = np.array([0.1, 1e6 / 3], np.float32)
    assert read("a = 3*b").holds({"a": a * np.float32(3), "b": a}).all()


def test_a_misspelt_feature_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError) as caught:
        read("a < age-off car")
    assert caught.value.remedy == "did you mean 'age-of car'?"
