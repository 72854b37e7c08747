"""What a column holds, learnt chunk by chunk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.data.schema import Kind
from gambeson.data.sources.columns import MISSING, Column, Places

GAPS = frozenset({"", "?"})


def learnt(*chunks, categorical: bool = False, most: int = 100) -> Column:
    column, start = Column("c", GAPS, categorical, most), 1
    for chunk in chunks:
        column.observe(chunk, Places("data.csv", "line", range(start, start + len(chunk))))
        start += len(chunk)
    column.finish()
    return column


@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.integers(1, 5))
def test_numbers_come_back_whatever_the_chunks(values, size):
    texts = [repr(value) for value in values]
    chunks = [texts[start : start + size] for start in range(0, len(texts), size)]
    column = learnt(*chunks)
    assert column.kind is Kind.NUMERIC
    assert column.categories == ()
    assert column.encode(texts).tolist() == values


@given(st.lists(st.sampled_from(["?", "a", "b", "", "Zz"]), min_size=1).filter(lambda v: set(v) - GAPS))
def test_texts_become_codes_of_sorted_categories(values):
    column = learnt(values)
    assert column.ordered == tuple(sorted(set(values)))
    assert column.categories == tuple(text or MISSING for text in sorted(set(values)))
    assert [column.ordered[int(code)] for code in column.encode(values)] == values


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        ([["1", "-2"]], Kind.INTEGER),
        ([["1", "2.0"]], Kind.NUMERIC),
        ([["1"], ["2.5"], ["3"]], Kind.NUMERIC),
        ([["1e3"]], Kind.NUMERIC),
        ([["16777217"]], Kind.NUMERIC),
        ([["16777216"]], Kind.INTEGER),
        ([["a"]], Kind.CATEGORICAL),
        ([["?"], ["a"]], Kind.CATEGORICAL),
        ([["?"]], Kind.CATEGORICAL),
        ([np.array([1, 2])], Kind.INTEGER),
        ([np.array([1.0, 2.0])], Kind.NUMERIC),
        ([np.array([-(2**63)])], Kind.NUMERIC),
    ],
)
def test_the_kind_is_that_of_all_cells(chunks, kind):
    assert learnt(*chunks).kind is kind


def test_numbers_as_names_are_sorted_by_value_behind_the_missing():
    assert learnt(["10", "9", "?"], categorical=True).categories == ("?", "9", "10")


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([["1", "2"], ["3", "x"]], "data.csv, line 4: column 'c' holds numbers, but here 'x'"),
        ([["a", "b"], ["7"]], "data.csv, line 3: column 'c' holds texts, but here '7'"),
        ([["1"], ["2", ""]], "data.csv, line 3: a number in column 'c' is missing"),
        ([["?", "?"], ["2"]], "data.csv, line 1: a number in column 'c' is missing"),
        ([["1", "inf"]], "data.csv, line 2: a number in column 'c' is inf"),
        ([["1", "nan"]], "data.csv, line 2: a number in column 'c' is missing"),
        ([np.array([1.0, np.nan])], "data.csv, line 2: a number in column 'c' is missing"),
        ([np.array([-np.inf])], "data.csv, line 1: a number in column 'c' is -inf"),
        ([[f"t{row}" for row in range(101)]], "more than 100 different texts"),
    ],
)
def test_cells_that_do_not_fit_are_named_by_their_place(chunks, message):
    with pytest.raises(UsageError, match=message):
        learnt(*chunks)


@pytest.mark.parametrize(("seen", "now"), [(["a"], ["b"]), (["1"], ["b"])])
def test_a_cell_that_was_not_there_before_is_an_error(seen, now):
    with pytest.raises(IntegrityError, match="'c' changed while it was read"):
        learnt(seen).encode(now)
