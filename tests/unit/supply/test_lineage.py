"""Lineage as a record holds it and as SLSA provenance."""

from __future__ import annotations

import json

import pytest

from gambeson.core.errors import IntegrityError
from gambeson.supply.lineage import Lineage, Source, provenance, read_lineage
from gambeson.supply.statements import Subject

FULL = Lineage(
    sources=(
        Source("a.csv", ("sha256", "ab" * 32), "CC0-1.0", "UCI", "2026-01-01"),
        Source("https://x/b", ("", "")),
    ),
    inputs=("people@2",),
    code=(("merge.py", "cd" * 32),),
    parameters=(("seed", "0"),),
    environment=(("python", "3.11"),),
    reading=(("label", "income"),),
    run=(("command", "python train.py"),),
    licence="CC0-1.0",
    note="first",
)


def test_lineage_comes_back_from_a_record():
    assert read_lineage(json.loads(json.dumps(FULL.to_json()))) == FULL


@pytest.mark.parametrize("change", [{"sources": [{}]}, {"code": [["a"]]}, {"inputs": None}, {"sources": 1}])
def test_another_record_is_refused(change):
    with pytest.raises(IntegrityError):
        read_lineage(json.loads(json.dumps(FULL.to_json())) | change)


def test_provenance_names_all_that_went_in_with_its_digest():
    subject = Subject("churn@1", (("sha256", "ef" * 32),))
    made = provenance(subject, FULL, [Subject("people@2", (("dirHash", "01" * 32),))], "ann")
    assert made.kind == "https://slsa.dev/provenance/v1"
    assert made.predicate["buildDefinition"]["resolvedDependencies"] == [
        {
            "uri": "a.csv",
            "digest": {"sha256": "ab" * 32},
            "annotations": {"licence": "CC0-1.0", "by": "UCI", "when": "2026-01-01"},
        },
        {"uri": "https://x/b", "annotations": {}},
        {"name": "people@2", "digest": {"dirHash": "01" * 32}},
        {"name": "merge.py", "digest": {"sha256": "cd" * 32}},
    ]
    assert made.predicate["buildDefinition"]["externalParameters"] == {"seed": "0"}
