"""The page of ``gambeson lineage``: where a version came from, who vouches for it, and how its audits went."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.audit.report.lineage_graph import Graph, graph_svg
from gambeson.audit.report.templating import render_page
from gambeson.core.finding import Bars


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement of the policy gate, as the page shows it."""

    name: str
    subject: str
    holds: bool
    reason: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version in the timeline's table.

    Attributes:
        ref: ``name@number``.
        added: When.
        by: Who.
        aliases: What points at it now.
        documents: What is signed about it.
        digest: Of its content.
        note: In words.
    """

    ref: str
    added: str
    by: str
    aliases: tuple[str, ...]
    documents: tuple[str, ...]
    digest: str
    note: str


@dataclass(frozen=True, slots=True)
class LineagePage:
    """What the page shows.

    Attributes:
        title: The version.
        kind: Dataset or model.
        made: When the page was made.
        tool: Version of Gambeson.
        root: Merkle root of the ledger.
        records: Its length.
        graph: The picture.
        checks: The policy gate; empty where it was not asked.
        why_not: Why the gate was not asked.
        charts: Figures of the audits over the versions.
        versions: Every version, the newest first.
        moves: ``(when, alias, version, reason)``, the newest first.
    """

    title: str
    kind: str
    made: str
    tool: str
    root: str
    records: int
    graph: Graph
    checks: tuple[Check, ...]
    why_not: str
    charts: tuple[Bars, ...]
    versions: tuple[VersionRow, ...]
    moves: tuple[tuple[str, str, str, str], ...]

    @property
    def verdict(self) -> tuple[str, str]:
        """State and heading of the gate."""
        if self.why_not:
            return "INCOMPLETE", "The policy gate was not asked"
        if all(check.holds for check in self.checks):
            return "OPEN", "The policy gate is open"
        return "CLOSED", "The policy gate is closed"


def to_lineage_page(page: LineagePage) -> str:
    """Render the page: self-contained like the report of an audit, with the same style."""
    from markupsafe import Markup

    picture = Markup(graph_svg(page.graph))  # noqa: S704 - escapes what it is given
    return render_page("lineage.html.j2", page=page, picture=picture, source="")
