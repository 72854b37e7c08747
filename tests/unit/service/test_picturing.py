"""A lineage is drawn from what was recorded."""

from __future__ import annotations

import pytest

from gambeson.service import promoting
from gambeson.service.picturing import lineage_graph, lineage_page
from gambeson.service.promoting import promote
from tests.trace_world import TraceWorld


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(promoting, "scan_version", lambda *_: [])
    world = TraceWorld(tmp_path)
    world.released()
    return world


def test_the_graph_leads_from_the_sources_to_what_is_served(world):
    promote(world.space, "churn@1", "production")
    graph = lineage_graph(world.space, world.space.registry.version("churn@1"))
    titles = {node.id: node.title for node in graph.nodes}
    assert {(titles[a], titles[b]) for a, b in graph.edges} == {
        (str(world.root / "raw.csv"), "people@1"),
        ("people@1", "churn@1"),
        (str(world.root / "train.py"), "churn@1"),
        ("churn@1", "production"),
    }


def test_what_does_not_verify_is_on_the_page(world):
    world.write("raw.csv", "tampered")
    page = lineage_page(world.space, "churn@1")
    assert page.verdict[0] == "CLOSED"
    wrong = {node.title for node in page.graph.nodes if node.wrong}
    assert wrong == {"people@1", str(world.root / "raw.csv")}


def test_the_timeline_has_the_figures_of_each_version_with_their_intervals(world):
    world.audit(world.model('{"learner": 2}'))
    chart = lineage_page(world.space, "churn@2").charts[0]
    (series,) = chart.series
    assert chart.labels == ("churn@1", "churn@2")
    assert all(
        low <= value <= high for low, value, high in zip(series.low, series.values, series.high, strict=True)
    )


def test_a_dataset_has_a_page_without_a_gate(world):
    page = lineage_page(world.space, "people@1")
    assert (page.verdict[0], page.checks) == ("INCOMPLETE", ())
