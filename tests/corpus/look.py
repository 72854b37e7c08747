"""What the scan says of bytes, for tests."""

from __future__ import annotations

from gambeson.core.finding import Severity
from gambeson.supply.scanning import scan_bytes


def rules_of(data: bytes, name: str = "file.bin") -> set[str]:
    """Ids of the rules that find something."""
    return {item.check for item in scan_bytes(data, name)}


def severe(data: bytes, name: str = "file.bin") -> set[str]:
    """Ids of the rules that find something of high severity or worse."""
    return {item.check for item in scan_bytes(data, name) if item.severity.rank >= Severity.HIGH.rank}
