"""What other tools read about a version comes from the ledger and the store."""

from __future__ import annotations

import json

import pytest

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.service.describing_versions import ancestors, describe_dataset, describe_model, read_description
from tests.trace_world import TraceWorld


@pytest.fixture
def world(tmp_path):
    world = TraceWorld(tmp_path)
    world.released()
    return world


def test_a_model_has_the_figures_of_its_newest_audit(world):
    bill = describe_model(world.space, "churn@1")
    card = bill["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"]
    assert [c["name"] for c in bill["components"]] == ["people", str(world.root / "raw.csv")]
    with pytest.raises(UsageError, match="is a dataset"):
        describe_model(world.space, "people@1")


def test_a_table_is_described_with_its_columns(world):
    described = describe_dataset(world.space, "people@1")
    assert [f["name"] for f in described["recordSet"][0]["field"]] == ["a", "b", "colour", "label"]
    with pytest.raises(UsageError, match="is a model"):
        describe_dataset(world.space, "churn@1")


def test_files_must_be_as_their_metadata_says(world):
    path = world.write("croissant.json", json.dumps(describe_dataset(world.space, "people@1")))
    assert read_description(path, world.root / "people.csv").name == "people"
    world.write("people.csv", "other")
    with pytest.raises(IntegrityError, match="is not what"):
        read_description(path, world.root / "people.csv")
    with pytest.raises(UsageError):
        read_description(world.root / "none.json", world.root / "people.csv")


def test_ancestors_are_found_once(world):
    version = world.model('{"learner": 2}', data="churn@1")
    assert [v.ref for v in ancestors(world.space, version)] == ["churn@1", "people@1"]
