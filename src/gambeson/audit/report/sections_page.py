"""A page of sections with figures and charts: what ``gambeson attack`` and ``gambeson harden`` write."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.audit.report.gallery import Gallery, share_room
from gambeson.audit.report.templating import render_page
from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence
from gambeson.core.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page.

    Attributes:
        title: Such as the name of an attack.
        note: A warning above the figures, e.g. what was cut; may be empty.
        measurements: Figures.
        evidence: Charts, tables, examples.
    """

    title: str
    note: str
    measurements: tuple[Measurement, ...]
    evidence: Evidence

    @property
    def check(self) -> str:
        """Under which name the figures stand in the JSON beside the page."""
        return self.title


@dataclass(frozen=True, slots=True)
class SectionsPage:
    """What the page shows.

    Attributes:
        kind: Beside the brand: what the page is about.
        title: Heading.
        hint: How to read the sections, above them.
        source: Name of the JSON file beside the page.
        threat: The attacker, in words.
        model, data: What was attacked.
        command: The command that repeats it.
        tool: Version of Gambeson.
        seed: Root of the seed tree.
        note: A warning for the whole page; may be empty.
        sections: From top to bottom.
        times: When, and how long.
    """

    kind: str
    title: str
    hint: str
    source: str
    threat: str
    model: Subject
    data: Subject
    command: str
    tool: str
    seed: int
    note: str
    sections: tuple[Section, ...]
    times: Times


def to_sections_page(page: SectionsPage) -> str:
    """Render the page: self-contained like the report of an audit, with the same style."""
    galleries: tuple[Gallery, ...] = share_room([section.evidence.examples for section in page.sections])
    return render_page("sections.html.j2", page=page, galleries=galleries, source=page.source)
