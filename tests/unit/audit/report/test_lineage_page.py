"""The page of a lineage holds all that it shows, escaped, and says what the gate says."""

from __future__ import annotations

from dataclasses import replace

from gambeson.audit.report.lineage_graph import Graph, Node
from gambeson.audit.report.lineage_page import Check, LineagePage, VersionRow, to_lineage_page
from gambeson.core.finding import Bars, BarSeries

PAGE = LineagePage(
    title="churn@1",
    kind="model",
    made="2026-05-01T12:00:00+00:00",
    tool="0.1.0",
    root="ab" * 32,
    records=7,
    graph=Graph((Node("churn@1", "model", "churn@1"),), ()),
    checks=(Check("audit", "churn@1", True, "gate open"), Check("scan", "churn@1", True, "nothing found")),
    why_not="",
    charts=(
        Bars("timeline", "robust accuracy", "version", "fraction", ("churn@1",), (BarSeries("a", (0.5,)),)),
    ),
    versions=(
        VersionRow("churn@1", "2026-05-01T12:00:00+00:00", "ann", ("production",), ("audit",), "cd", ""),
    ),
    moves=(("2026-05-01T12:00:00+00:00", "production", "churn@1", "everything verified"),),
)


def test_the_verdict_is_that_of_the_checks():
    assert PAGE.verdict[0] == "OPEN"
    refused = replace(PAGE, checks=(Check("scan", "churn@1", False, "calls os.system"),))
    assert refused.verdict[0] == "CLOSED"
    assert "calls os.system" in to_lineage_page(refused)
    assert replace(PAGE, why_not="it is a dataset").verdict[0] == "INCOMPLETE"


def test_the_page_loads_nothing_and_shows_everything():
    page = to_lineage_page(PAGE)
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src &#39;none&#39;" in page
    for text in ("churn@1", "robust accuracy", "everything verified", "1 May 2026"):
        assert text in page


def test_hostile_texts_are_escaped():
    evil = "<img src=x onerror=alert(1)>"
    page = to_lineage_page(replace(PAGE, title=evil, checks=(Check(evil, evil, False, evil),)))
    assert "<img" not in page
