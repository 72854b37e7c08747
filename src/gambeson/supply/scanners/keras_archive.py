"""Keras .keras archives: their configuration must be there and be JSON; what it says is judged as any JSON."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.zip_directory import BrokenZip, read_directory


@scanners.register("keras", ScannerFacts((Format.KERAS,), "Lambda layers and objects from outside Keras"))
def scan_keras(visit: Visit) -> Iterator[Finding]:
    """A model without its configuration is none."""
    try:
        names = {entry.name for entry in read_directory(visit.content).entries}
    except BrokenZip:
        return
    if "config.json" not in names:
        yield visit.hit("scan.keras.broken", "it has no config.json")
