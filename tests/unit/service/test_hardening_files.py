"""Digest of the code, and a folder that cannot be written to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.core.errors import UsageError
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening_commands import HardenCommand
from gambeson.service.hardening_files import code_digest, write_harden
from tests.unit.service.test_hardening_report import run


def test_the_code_has_one_digest():
    assert code_digest() == code_digest()
    assert code_digest().startswith("sha256:")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        write_harden(HardenCommand(AuditCommand("m", "d"), out=tmp_path / "out" / "deeper"), run(True))


def test_an_interrupted_run_says_so(tmp_path):
    write_harden(HardenCommand(AuditCommand("m", "d"), out=tmp_path), replace(run(), interrupted=True))
    assert "Interrupted" in (tmp_path / "harden.html").read_text()
