from __future__ import annotations

from gambeson.audit.base import PROFILES
from gambeson.audit.report.writing import check_formats
from gambeson.service.commands import AuditCommand


def test_defaults_are_valid():
    command = AuditCommand(model="m", data="d")
    assert command.profile in PROFILES
    check_formats(command.formats)
    assert len(command.threats) == 1
