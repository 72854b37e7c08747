"""Native code and closed archives: there is nothing to look into, so that itself is the finding."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding, Severity
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_HONEST = (".so", ".dll", ".dylib", ".exe", ".pyd", ".o", ".node")


@scanners.register(
    "native", ScannerFacts((Format.NATIVE, Format.CLOSED), "native code; archives that cannot be opened")
)
def scan_native(visit: Visit) -> Iterator[Finding]:
    """One finding; a library or program on its own that is called one is less of a surprise."""
    if visit.format is Format.CLOSED:
        yield visit.hit("scan.archive.closed", visit.format.value)
        return
    program = visit.name.lower().endswith(_HONEST) or ".so." in visit.name or "." not in visit.name
    honest = program and not visit.inside
    yield visit.hit("scan.file.native", visit.format.value, severity=Severity.MEDIUM if honest else None)
