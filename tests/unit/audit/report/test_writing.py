from __future__ import annotations

import errno
import os

import pytest

from gambeson.audit.report import writing
from gambeson.audit.report.writing import FORMATS, write_reports
from gambeson.core.errors import Unavailable, UsageError
from tests.unit.audit.report.samples import sample_report


def test_every_format_is_written_and_nothing_else(tmp_path):
    paths = write_reports(sample_report(), tmp_path / "out", tuple(FORMATS))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in paths.values()}
    assert all(p.stat().st_size > 500 for p in paths.values())


def test_an_unknown_format_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(UsageError, match="'pdf'"):
        write_reports(sample_report(), tmp_path / "out", ("json", "pdf"))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"):
        write_reports(sample_report(), tmp_path / "file" / "out", ("json",))


def test_a_full_disk_leaves_the_old_reports_whole_and_no_litter(tmp_path, monkeypatch):
    write_reports(sample_report(), tmp_path, ("json", "html"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    calls = iter([None, OSError(errno.ENOSPC, "No space left on device")])

    def fsync(handle):
        if (error := next(calls)) is not None:
            raise error

    monkeypatch.setattr(writing.os, "fsync", fsync)
    with pytest.raises(Unavailable, match="full"):
        write_reports(sample_report(), tmp_path, ("html", "json"))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the device that is always full is Linux's")
def test_a_device_that_is_really_full_gives_the_same_error():
    with pytest.raises(OSError, match="No space") as caught, open("/dev/full", "w") as stream:
        stream.write("x" * 100_000)
    assert "full" in str(writing.unwritable(writing.Path("out"), caught.value))
