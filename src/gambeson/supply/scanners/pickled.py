"""Pickles: every name that unpickling would import, in every pickle of a file."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.pickle_findings import judge_pickles
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format


@scanners.register(
    "pickle",
    ScannerFacts((Format.PICKLE,), "names that unpickling imports, hidden ones included; breaks and tails"),
)
def scan_pickle(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with the pickles of a content."""
    yield from judge_pickles(visit)
