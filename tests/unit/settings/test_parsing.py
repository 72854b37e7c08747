from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity
from gambeson.settings.parsing import parse_duration, parse_eps, parse_severity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8/255", (8 / 255, "input")),
        ("0.03", (0.03, "input")),
        (0.5, (0.5, "input")),
        ("10%", (0.1, "range")),
    ],
)
def test_eps_is_read_as_people_write_it(text, value):
    assert parse_eps(text) == value


@pytest.mark.parametrize("text", ["", "big", "8/0", "nan", "inf", "1/2/3", "%"])
def test_what_is_no_eps_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="8/255"):
        parse_eps(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2h", 7200), (45, 45), ("1.5m", 90)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "ten minutes", "10x", "m"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="10m"):
        parse_duration(text)


def test_severities_and_never():
    assert parse_severity("HIGH") is Severity.HIGH
    assert parse_severity("never") is None
    with pytest.raises(UsageError, match="never, info"):
        parse_severity("awful")
