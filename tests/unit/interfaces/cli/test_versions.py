"""Datasets and models are added, listed, compared and taken out from the command line."""

from __future__ import annotations

import json

import pytest

from tests.trace_world import rows


@pytest.fixture
def data(place):
    (place / "people.csv").write_text(rows())
    return (
        "data",
        "add",
        "people",
        "people.csv",
        "--label",
        "label",
        "--source",
        "people.csv,licence=CC0-1.0",
    )


def test_versions_are_added_and_listed(call, place, data):
    code, out, _ = call(*data)
    assert (code, out.startswith("people@1: 1 file, ")) == (0, True)
    (place / "people.csv").write_text(rows(shift=1))
    assert json.loads(call(*data, "--json")[1])["ref"] == "people@2"
    listed = json.loads(call("data", "versions", "people", "--json")[1])
    assert [(row["version"], row["from"]) for row in listed] == [
        ("people@1", ["people.csv"]), ("people@2", ["people.csv"]),
    ]  # fmt: skip
    assert "people@2  20" in call("data", "versions", "people")[1]


def test_two_versions_are_compared(call, place, data):
    call(*data)
    (place / "people.csv").write_text(rows() + "5,5,red,no\n")
    call(*data)
    change = json.loads(call("data", "diff", "people@1", "people@2", "--json")[1])
    assert (change["added"], change["removed"], change["after"]) == (1, 0, 201)
    code, out, _ = call("data", "diff", "people@1", "people@2")
    assert (code, "1 added, 0 removed, 0 relabelled" in out) == (0, True)


def test_a_version_is_taken_out(call, place, data):
    call(*data)
    assert call("data", "get", "people@1", "out")[0] == 0
    assert (place / "out" / "people.csv").read_text() == rows()
    assert call("data", "get", "people@1", "out")[0] == 2
    code, _, err = call("model", "get", "people@1", "other")
    assert (code, "people@1 is a dataset" in err, (place / "other").exists()) == (2, True, False)


def test_a_model_is_added_with_what_it_was_made_from(call, place, data):
    call(*data)
    (place / "churn.json").write_text('{"learner": 1}')
    words = (
        "model",
        "add",
        "churn",
        "churn.json",
        "--from",
        "people@1",
        "--code",
        "model.py",
        "-p",
        "seed=0",
    )
    assert call(*words, "--run", "started=2026-05-01")[0] == 0
    (row,) = json.loads(call("model", "versions", "churn", "--json")[1])
    assert row["from"] == ["people@1"]
    assert call("model", "get", "churn", "out")[0] == 0


def test_an_audit_of_another_model_is_not_attested(call, place, data):
    from gambeson.audit.report.writing import write_reports
    from tests.unit.audit.report.samples import sample_report

    call(*data)
    (place / "churn.json").write_text("{}")
    call("model", "add", "churn", "churn.json")
    call("key", "new", "release")
    write_reports(sample_report(), place / "audit", ("json",))
    code, _, err = call("model", "attest", "churn@1", "audit", "--key", "file:release.key")
    assert (code, "is of a model with the digest" in err) == (2, True)
    assert call("model", "attest", "churn@1", "nowhere", "--key", "file:release.key")[0] == 2


def test_wrong_words_change_nothing(call, place, data):
    assert call(*data, "-p", "novalue")[0] == 2
    assert call("data", "add", "people", "model.py")[0] == 2
    assert call("data", "versions", "people")[0] == 2


def test_metadata_for_other_tools_is_printed_and_taken(call, place, data):
    call(*data)
    printed = call("data", "croissant", "people@1")[1]
    (place / "croissant.json").write_text(
        printed.replace('"creator": {', '"license": "CC0-1.0", "creator": {')
    )
    assert call(*data[:-2], "--croissant", "croissant.json")[0] == 0
    (place / "people.csv").write_text(rows(seed=9))
    assert call(*data[:-2], "--croissant", "croissant.json")[0] == 2
    (place / "churn.json").write_text("{}")
    call("model", "add", "churn", "churn.json", "--from", "people@2")
    bill = json.loads(call("model", "bom", "churn@1")[1])
    assert bill["bomFormat"] == "CycloneDX"
    assert {"license": {"id": "CC0-1.0"}} in bill["components"][0]["licenses"]
