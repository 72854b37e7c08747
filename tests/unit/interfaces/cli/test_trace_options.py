"""What the options of tracing read."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity
from gambeson.interfaces.cli.trace_options import pairs, plain, source
from gambeson.supply.lineage import Source


def test_a_source_is_an_address_with_what_is_known_of_it():
    text = "https://x.org/a.csv,licence=CC0-1.0,by=UCI,when=2026-01-01,sha256=ab"
    assert source(text) == Source("https://x.org/a.csv", ("sha256", "ab"), "CC0-1.0", "UCI", "2026-01-01")
    assert source("a.csv") == Source("a.csv", ("", ""))


@pytest.mark.parametrize("text", ["", ",by=me", "a.csv,size=3", "a.csv,by"])
def test_another_source_is_refused(text):
    with pytest.raises(UsageError):
        source(text)


def test_pairs_have_a_name_and_a_value():
    assert pairs("--param", ["a=1", "b=x=y"]) == (("a", "1"), ("b", "x=y"))
    with pytest.raises(UsageError, match="has no '='"):
        pairs("--param", ["=1"])


def test_values_become_plain_json():
    value = {
        "s": Severity.HIGH,
        "t": datetime(2026, 1, 1, tzinfo=UTC),
        "p": math.nan,
        "x": (Source("a", ("", "")),),
    }
    shown = plain(value)
    assert (shown["s"], shown["t"], shown["p"]) == ("high", "2026-01-01T00:00:00+00:00", None)
    assert shown["x"][0]["uri"] == "a"
