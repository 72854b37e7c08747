import json
import os

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity
from gambeson.core.ports import NoProgress
from gambeson.service.scanning import ScanCommand, run_scan, worst_files
from tests.corpus.opcodes import EVIL, HARMLESS, PROTO, long


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "models"
    root.mkdir()
    for name, data in (
        ("a.pkl", EVIL), ("b.pkl", HARMLESS), ("c.bin", b"\xff\xfe\x00"), ("d.pkl", PROTO[2] + long("x") + b"Q."),
    ):  # fmt: skip
        (root / name).write_bytes(data)
    (root / "out").symlink_to(tmp_path)
    return root


def scan(folder, **how):
    return run_scan(ScanCommand((str(folder),), **how), NoProgress())


def test_every_path_has_a_result_and_none_is_dropped(folder):
    report = scan(folder)
    assert report.counts == {"PASSED": 1, "FAILED": 2, "NOT_ASSESSED": 2, "ERRORED": 0}
    assert [os.path.basename(file.path) for file in report.files] == [
        "a.pkl",
        "b.pkl",
        "c.bin",
        "d.pkl",
        "out",
    ]
    assert [item.check for item in report.findings] == ["scan.pickle.dangerous", "scan.pickle.persistent"]
    assert [os.path.basename(file.path) for file in worst_files(report, 9)] == ["a.pkl", "d.pkl"]


@pytest.mark.parametrize(
    ("fail_on", "gate", "code"),
    [(Severity.LOW, "closed", 1), (Severity.CRITICAL, "closed", 1), (None, "open", 0)],
)
def test_the_gate_closes_at_the_severity_that_was_asked_for(folder, fail_on, gate, code):
    report = scan(folder, fail_on=fail_on)
    assert (report.gate, report.exit_code) == (gate, code)


def test_a_finding_below_the_gate_leaves_it_open(folder):
    (folder / "a.pkl").unlink()
    assert scan(folder, fail_on=Severity.CRITICAL).gate == "open"


def test_what_cannot_be_read_is_not_passed(tmp_path, monkeypatch):
    (tmp_path / "a.pkl").write_bytes(HARMLESS)

    def fails(*given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gambeson.supply.scanning.os.open", fails)
    report = scan(tmp_path)
    assert (report.gate, report.exit_code) == ("incomplete", 2)
    assert report.files[0].reason == "Permission denied"


def test_the_number_of_processes_changes_nothing(folder):
    assert scan(folder, jobs=2) == scan(folder)


def test_json_says_everything_and_is_the_same_each_time(folder):
    text = scan(folder).to_json()
    value = json.loads(text)
    assert text == scan(folder).to_json()
    assert value["gate"] == "closed"
    assert value["files"][0]["findings"][0]["rule"] == "scan.pickle.dangerous"
    assert value["files"][0]["digest"].startswith("sha256:")
    assert "leads out" in value["files"][4]["reason"]


def test_names_that_are_no_unicode_are_written(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.pkl")).write_bytes(EVIL)
    assert "\\\\udcff.pkl" in scan(tmp_path).to_json()


@pytest.mark.parametrize("how", [{"jobs": 0}, {"digest": "md5"}])
def test_values_that_make_no_sense_are_refused(folder, how):
    with pytest.raises(UsageError):
        scan(folder, **how)


def test_nothing_to_scan_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Nothing"):
        run_scan(ScanCommand(()), NoProgress())
    with pytest.raises(UsageError, match="No such file"):
        scan(tmp_path / "none")
