"""Which pictures a page shows: as many as its size allows, shared fairly among the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gambeson.core.finding import AdversarialExample, Finding

MOST_BYTES = 2_000_000
"""Of base64; a page must stay below 3 MB and needs room for its tables and charts."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of one finding.

    Attributes:
        shown: Examples to show, in their order.
        left_out: How many others have pictures; report.json holds them.
    """

    shown: tuple[AdversarialExample, ...] = ()
    left_out: int = 0


def choose_pictures(findings: Sequence[Finding], most_bytes: int = MOST_BYTES) -> tuple[Gallery, ...]:
    """One gallery for each finding: every finding's first example before any finding's second.

    Args:
        findings: In the order of the page.
        most_bytes: Room for the base64 of all pictures together; picture grids, which are shown whole, come first.
    """
    grids = (grid for finding in findings for grid in finding.evidence.grids)
    taken = sum(len(image) for grid in grids for row in grid.rows for image in row)
    return share_room([finding.evidence.examples for finding in findings], most_bytes - taken)


def share_room(
    groups: Sequence[Sequence[AdversarialExample]], most_bytes: int = MOST_BYTES
) -> tuple[Gallery, ...]:
    """One gallery for each group of examples: every group's first before any group's second."""
    examples = [[e for e in group if e.images] for group in groups]
    shown: list[list[AdversarialExample]] = [[] for _ in groups]
    room = most_bytes
    for place in range(max(map(len, examples), default=0)):
        for mine, found in zip(shown, examples, strict=True):
            size = sum(map(len, found[place].images)) if place < len(found) else room + 1
            if size <= room:
                mine.append(found[place])
                room -= size
    return tuple(
        Gallery(tuple(mine), len(found) - len(mine)) for mine, found in zip(shown, examples, strict=True)
    )
