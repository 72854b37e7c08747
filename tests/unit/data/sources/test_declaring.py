from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.data.sources import declaring
from gambeson.data.sources.array_rows import ArrayRows
from gambeson.data.sources.declaring import declare
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.splits import RowSplit
from tests.tables import RELATIONS, ZONES, rows
from tests.tables import schema as full_schema

BARE = replace(full_schema(), relations=(), one_hot=())


def split(x):
    return RowSplit.of_all(ArrayRows(x), np.zeros(len(x), np.int64))


def declared(x, relations=RELATIONS, one_hot=("colour_*",), **more):
    splits = {"": split(x), **{name: split(part) for name, part in more.items()}}
    return declare("table.csv", BARE, splits, DataOptions(relations=relations, one_hot=one_hot))


def test_without_declarations_the_schema_stays_as_it_is():
    assert declared(rows(), (), ()) is BARE


def declaring_alone(**options):
    return declare("table.csv", BARE, {"": split(rows())}, DataOptions(**options))


def test_what_is_sensitive_comes_into_the_schema():
    found = declaring_alone(sensitive=("city", "start"), confidential="net = 5")
    assert (found.sensitive, found.confidential) == (("city", "start"), ("net", "5"))
    assert declaring_alone(confidential=f"city={_cities()[0]}").confidential == ("city", _cities()[0])


def _cities():
    return next(f.categories for f in BARE.features if f.name == "city")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sensitive": ("sx",)}, "sensitive=sx names the column 'sx'"),
        ({"confidential": "sx=1"}, "names the column 'sx'"),
        ({"confidential": "city=Nowhere"}, "'Nowhere' is no value of the column 'city'"),
        ({"confidential": "net=much"}, "'much' is none"),
        ({"confidential": "net"}, "confidential is 'net'"),
    ],
)
def test_a_sensitive_column_that_does_not_exist_is_named(options, message):
    with pytest.raises(UsageError, match=message):
        declaring_alone(**options)


def test_relations_groups_and_what_categories_determine_come_into_the_schema():
    found = declared(rows(200))
    assert [r.text for r in found.relations] == list(RELATIONS)
    assert found.relations[-1].values == tuple(ZONES)
    assert found.one_hot == (("colour_red", "colour_green", "colour_blue"),)


def test_many_rows_are_looked_at_in_pieces(monkeypatch):
    monkeypatch.setattr(declaring, "_VALUES", 12 * 7)
    assert declared(rows(200)).relations[-1].values == tuple(ZONES)
    x = rows(200)
    x[123, 4] += 1
    with pytest.raises(UsageError, match="row 123 breaks the relation 'gross = net"):
        declared(x)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (4, 59, "row 5 breaks the relation 'gross = net . tax': net=.*gross=59"),
        (1, 0, "row 5 breaks the relation 'start < end'"),
        (8, 0.5, "row 5 breaks the relation one 1 among colour_red … colour_blue"),
        (7, 9, "'city -> zone' does not hold in table.csv"),
    ],
)
def test_a_row_that_breaks_something_is_named(column, value, message):
    x = rows()
    x[5, column] = value
    with pytest.raises(UsageError, match=message):
        declared(x)


def test_the_split_is_named_too():
    x = rows()
    x[0, 4] += 1
    with pytest.raises(UsageError, match=r"table.csv, split 'test', row 0"):
        declared(rows(), test=x)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (("hue_*",), "matches 0 columns"),
        (("colour_red",), "matches 1 columns"),
        (("colour_*", "*_red*e*"), "matches 0 columns"),
        (("colour_*", "c*_*e*"), "'colour_red' into two groups"),
    ],
)
def test_groups_that_make_no_sense_are_refused(patterns, message):
    with pytest.raises(UsageError, match=message):
        declared(rows(), (), patterns)
