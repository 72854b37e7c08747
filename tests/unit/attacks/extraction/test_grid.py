"""Places of float32 numbers are in the order of the numbers, one by one, and lead back to them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.attacks.extraction.grid import Grid
from gambeson.data.schema import Feature, Kind, Schema
from tests.tables import rows, schema

NUMBERS = st.floats(-(2.0**126), 2.0**126, width=32)
LINE = Grid.of(Schema((1,), ("a", "b"), features=(Feature("x"),)))


@given(NUMBERS, NUMBERS)
@settings(max_examples=200, deadline=None)
def test_places_keep_the_order_and_lead_back(a, b):
    x = np.array([[a], [b]], np.float32)
    places = LINE.places(x)
    assert np.sign(places[0, 0] - places[1, 0]) == np.sign(float(x[0, 0]) - float(x[1, 0]))
    np.testing.assert_array_equal(LINE.inputs(places), x)


@given(NUMBERS)
@settings(max_examples=200, deadline=None)
def test_the_next_place_is_the_next_float(a):
    x = np.array([[a]], np.float32)
    assert LINE.inputs(LINE.places(x) + 1)[0, 0] == np.nextafter(x[0, 0], np.float32(np.inf))


def test_rows_of_a_table_are_places_and_back():
    grid, x = Grid.of(schema()), rows(50)
    np.testing.assert_array_equal(grid.inputs(grid.places(x)), x)
    assert grid.categorical.sum() == 2


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_places_between_stay_between(seed):
    grid, rng = Grid.of(schema()), np.random.default_rng(seed)
    low, high = np.sort(grid.places(rows(2, seed=seed % 1000)), axis=0)
    found = grid.between(low, high, rng.random((20, len(low))))
    assert ((low <= found) & (found <= high)).all()


def test_whole_numbers_between_are_all_reached():
    grid = Grid.of(Schema((1,), ("a", "b"), features=(Feature("n", Kind.INTEGER, 0, 3),)))
    found = grid.between(grid.low, grid.high, np.linspace(0, 0.999, 100)[:, None])
    assert np.bincount(found[:, 0]).tolist() == [25, 25, 25, 25]
