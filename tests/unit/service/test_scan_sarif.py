import json
from pathlib import Path

import jsonschema
import pytest

from gambeson.core.ports import NoProgress
from gambeson.service.scan_sarif import scan_to_sarif
from gambeson.service.scanning import ScanCommand, run_scan
from gambeson.supply.scan_rules import rules
from tests.corpus.hostile_models import hostile_models
from tests.corpus.opcodes import EVIL

SCHEMA = Path(__file__).parents[2] / "data" / "sarif-2.1.0.json"


@pytest.fixture
def report(tmp_path):
    for number, (name, data) in enumerate(hostile_models()):
        (tmp_path / f"{number}-{name.replace('/', '-')}").write_bytes(data)
    (tmp_path / "first.pkl").write_bytes(EVIL)
    (tmp_path / "noise").write_bytes(b"\xff\x00")
    return run_scan(ScanCommand((str(tmp_path),)), NoProgress())


def test_it_is_sarif(report):
    jsonschema.validate(json.loads(scan_to_sarif(report)), json.loads(SCHEMA.read_text()))


def test_every_finding_is_a_result_at_its_file(report):
    (run,) = json.loads(scan_to_sarif(report))["runs"]
    assert len(run["results"]) == len(report.findings)
    assert len({item["partialFingerprints"]["gambeson/v1"] for item in run["results"]}) == len(run["results"])
    by_rule = {item["ruleId"]: item for item in run["results"]}
    uri = by_rule["scan.pickle.dangerous"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("first.pkl")
    assert (
        run["tool"]["driver"]["rules"][by_rule["scan.pickle.dangerous"]["ruleIndex"]]["id"]
        == "scan.pickle.dangerous"
    )


def test_a_rule_is_described_by_its_claim(report):
    (run,) = json.loads(scan_to_sarif(report))["runs"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"] == rules()[rule["id"]].claim


def test_what_was_not_assessed_is_a_notification(report):
    (run,) = json.loads(scan_to_sarif(report))["runs"]
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("noise" in text and "no format" in text for text in notes)
