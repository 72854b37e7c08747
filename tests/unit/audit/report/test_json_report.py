from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from gambeson.audit.report.json_report import (
    from_json,
    generate_schema,
    report_schema,
    to_json,
    without_times,
)
from gambeson.audit.result import Subject, Times
from gambeson.core.errors import IntegrityError, UsageError
from gambeson.core.measurement import Measurement
from tests.unit.audit.report.samples import EVASION, hostile_report, report_of, sample_report


@pytest.mark.parametrize("report", [sample_report(), hostile_report()], ids=["sample", "hostile"])
def test_it_comes_back_as_it_was(report):
    assert from_json(to_json(report)) == report


@pytest.mark.parametrize("report", [sample_report(), hostile_report()], ids=["sample", "hostile"])
def test_it_is_valid_under_the_published_schema(report):
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(to_json(report)))


def test_the_published_schema_is_what_the_types_say():
    assert report_schema() == json.loads(json.dumps(generate_schema()))


def test_the_schema_refuses_an_unknown_outcome():
    tree = json.loads(to_json(sample_report()))
    tree["findings"][0]["outcome"] = "FINE"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, report_schema())


def test_all_that_depends_on_the_clock_stands_under_times():
    later = replace(sample_report(), times=Times("2027-01-01T00:00:00+00:00", 99.0, resumed=3))
    assert to_json(later) != to_json(sample_report())
    assert to_json(without_times(later)) == to_json(without_times(sample_report()))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "not json", "\x80\x04.", '{"version": "1.0"}', "[" * 100_000]
)
def test_what_is_no_report_is_one_clear_error(text):
    with pytest.raises(IntegrityError, match=r"not a report|damaged"):
        from_json(text)


def test_a_newer_layout_names_both_versions():
    with pytest.raises(UsageError, match=r"layout 7\.0.*reads layout 1"):
        from_json(to_json(replace(sample_report(), version="7.0")))


def test_a_figure_that_is_not_finite_is_never_written():
    bad = replace(EVASION, measurements=(Measurement("x", float("nan"), "fraction", 1),))
    with pytest.raises(ValueError, match="not finite"):
        to_json(report_of(bad))


def test_a_file_name_that_is_no_unicode_is_written_all_the_same():
    report = report_of(EVASION, model=Subject("m\udcff.onnx", "x"))
    assert from_json(to_json(report)).model.name == "m?.onnx"
    assert to_json(report).encode("utf-8")


def test_a_field_that_a_later_minor_layout_adds_is_passed_over():
    tree = json.loads(to_json(sample_report())) | {"version": "1.9", "added": {"later": 1}}
    assert from_json(json.dumps(tree)).findings == sample_report().findings
