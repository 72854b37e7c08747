from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.relations import LinearRules
from gambeson.data.relations import parse_relations
from gambeson.data.schema import Feature, Kind, Schema

NUMBERS = tuple(Feature(name, Kind.NUMERIC, -10, 10) for name in "abcd")
WHOLE = tuple(Feature(name, Kind.INTEGER, -10, 10) for name in "abcd")


def rules(*texts, columns=NUMBERS, frozen=()):
    schema = Schema((4,), ("n", "y"), -10, 10, columns, parse_relations(texts, columns))
    return LinearRules.of(schema, np.array([f.name not in frozen for f in columns]))


def repaired(found, base, x, low=-10.0, high=10.0):
    base, x = torch.tensor([base]).float(), torch.tensor([x]).float()
    row = found.repair(base, x, torch.full_like(base, low), torch.full_like(base, high))
    return row[0].tolist()


def test_the_computed_column_follows_the_others():
    assert repaired(rules("a = b + 2*c"), [3, 1, 1, 0], [9, 2, 2, 5]) == [6, 2, 2, 5]


def test_a_frozen_column_is_not_computed():
    found = rules("a = b + c", frozen=("a",))
    assert found.pivots.tolist() == [1]
    assert repaired(found, [3, 1, 2, 0], [3, 1, 0, 0]) == [3, 3, 0, 0]


def test_with_all_but_one_column_frozen_nothing_moves():
    assert repaired(rules("a = b + c", frozen=("a", "b")), [3, 1, 2, 0], [3, 1, 5, 0]) == [3, 1, 2, 0]


def test_equalities_that_share_columns_hold_together():
    found = rules("a = b + c", "d = a - b")
    row = repaired(found, [3, 1, 2, 2], [0, 2, 4, 0])
    assert row[0] == row[1] + row[2]
    assert row[3] == row[0] - row[1]
    assert row != [3, 1, 2, 2]


def test_an_equality_said_twice_says_it_once():
    assert len(rules("a = b + c", "2*a = 2*b + 2*c").pivots) == 1


def test_a_number_is_computed_rather_than_a_whole_one():
    mixed = (WHOLE[0], NUMBERS[1], WHOLE[2], WHOLE[3])
    assert rules("a = b + 0.5*c", columns=mixed).pivots.tolist() == [1]


@pytest.mark.parametrize(("texts", "pivot"), [(("2*a = b + c",), 1), (("a = b + c",), 0)])
def test_of_whole_numbers_one_that_comes_out_whole_is_computed(texts, pivot):
    assert rules(*texts, columns=WHOLE).pivots.tolist() == [pivot]


def test_a_whole_computed_column_stays_whole_where_no_other_can_be_computed():
    found = rules("2*a = b + c", columns=WHOLE, frozen=("b", "c"))
    assert repaired(found, [1, 1, 1, 0], [5, 1, 1, 0]) == [1, 1, 1, 0]


def test_a_row_is_drawn_back_to_where_the_inequality_holds():
    a, b, *_ = repaired(rules("a < b"), [0, 2, 0, 0], [4, 0, 0, 0])
    assert a < b
    assert b - a < 1e-4
    assert a == pytest.approx(2 * (2 - b), rel=1e-4)  # on the segment between the two


def test_a_change_away_from_the_limit_is_not_drawn_back():
    assert repaired(rules("a <= b"), [0, 2, 0, 0], [-5, 3, 0, 0]) == [-5, 3, 0, 0]


def test_at_zero_slack_only_the_way_back_is_open():
    found = rules("a <= b")
    assert repaired(found, [1, 1, 0, 0], [2, 1, 0, 0]) == [1, 1, 0, 0]
    assert repaired(found, [1, 1, 0, 0], [0, 1, 0, 0]) == [0, 1, 0, 0]


def test_the_computed_column_keeps_its_own_bounds():
    row = repaired(rules("a = b + c"), [0, 0, 0, 0], [0, 8, 8, 0])
    assert row[0] == row[1] + row[2] <= 10
    assert row[0] == pytest.approx(10, rel=1e-4)


def test_whole_numbers_stay_whole_when_drawn_back():
    row = repaired(rules("a + b <= 3", columns=WHOLE), [1, 1, 0, 0], [4, 4, 0, 0])
    assert row == [round(v) for v in row]
    assert row[0] + row[1] <= 3


def test_columns_in_no_relation_are_left_as_they_are():
    assert repaired(rules("a < b"), [0, 2, 0, 0], [9, 0, 7.5, -3])[2:] == [7.5, -3]


def test_not_a_number_moves_nothing():
    assert repaired(rules("a = b + c"), [3, 1, 2, 0], [0, float("nan"), 2, 0]) == [3, 1, 2, 0]


def test_parts_are_the_columns_that_hang_together():
    parts = rules("a < b", "c < d").parts.tolist()
    assert parts[0] == parts[1] != parts[2] == parts[3]
    assert len(set(rules("a < b", "b < c", "c < d").parts.tolist())) == 1


def test_the_gradient_reaches_what_moves_through_the_computed_column():
    found = rules("a = b + 2*c")
    move = torch.tensor([0.0, 0.3, -0.2, 0.1])
    base = torch.tensor([[3.0, 1.0, 1.0, 0.0]])
    grad = torch.tensor([[5.0, -1.0, 2.0, 1.0]])
    far = torch.full_like(base, 10.0)
    moved = found.repair(base, base + move, -far, far) - base
    expected = (grad * moved).sum()  # of a linear loss along the row that results
    assert float((found.pull(grad)[0] * move * found.movable).sum()) == pytest.approx(
        float(expected), rel=1e-5
    )
