from __future__ import annotations

import dataclasses

import pytest

from gambeson.core.errors import UsageError
from gambeson.settings.rules import CHOICES, DATA_OPTIONS, check_value


@pytest.mark.parametrize(
    ("name", "value"),
    [("norm", "l2"), ("profile", None), ("samples", 1), ("eps", "10%"), ("eps", 0.1), ("reason", "any")],
)
def test_what_makes_sense_is_taken(name, value):
    check_value(name, value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("norm", "l9", "linf, l2, l1, l0"),
        ("samples", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("classes", 1, "at least 2"),
        ("eps", "big", "8/255"),
        ("time_budget", "0", "10m"),
        ("expires", "soon", "YYYY-MM-DD"),
    ],
)
def test_what_makes_none_is_refused_with_what_would(name, value, expected):
    with pytest.raises(UsageError) as caught:
        check_value(name, value)
    assert expected in caught.value.expected


def test_the_choices_are_those_of_the_code():
    from gambeson.audit.base import PROFILES
    from gambeson.audit.report.writing import FORMATS
    from gambeson.data.sources import DataOptions

    assert CHOICES["profile"] == tuple(PROFILES)
    assert CHOICES["formats"] == tuple(FORMATS)
    assert tuple(field.name for field in dataclasses.fields(DataOptions)) == DATA_OPTIONS
