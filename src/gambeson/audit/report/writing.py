"""Writes the reports: all are rendered first, then each file is replaced whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from gambeson.audit.result import AuditReport
from gambeson.core.errors import Unavailable, UsageError

FORMATS = {
    "json": ("report.json", "gambeson.audit.report.json_report", "to_json"),
    "html": ("report.html", "gambeson.audit.report.html_report", "to_html"),
    "sarif": ("report.sarif", "gambeson.audit.report.sarif", "to_sarif"),
    "junit": ("report.junit.xml", "gambeson.audit.report.junit", "to_junit"),
}
"""Format to file name, module and function; each renderer is loaded only when it is asked for."""


def write_reports(report: AuditReport, out: Path, formats: Sequence[str]) -> dict[str, Path]:
    """Write the report into a folder in each of the formats.

    Nothing is half-written: a file that cannot be written whole is left as it was before.

    Args:
        report: What an audit found.
        out: Folder, made if need be.
        formats: Names from ``FORMATS``.

    Returns:
        The path of each format.

    Raises:
        UsageError: A format is unknown, or the folder cannot be written to.
        Unavailable: The disk is full.
    """
    check_formats(formats)
    texts = {name: _renderer(name)(report) for name in formats}
    paths = {name: out / FORMATS[name][0] for name in formats}
    staged: dict[str, str] = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            staged[name] = _stage(out, text)
        for name, temporary in staged.items():
            os.replace(temporary, paths[name])
    except OSError as error:
        raise unwritable(out, error) from None
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    return paths


def check_formats(formats: Sequence[str]) -> None:
    """Refuse an unknown format before any work is done.

    Raises:
        UsageError: A format is unknown.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"Unknown report format {name!r}.", expected=", ".join(FORMATS))


def unwritable(out: Path, error: OSError) -> UsageError | Unavailable:
    """The one message for an output folder that does not take what we write."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(
            f"The disk that holds {out} is full; nothing there was changed.",
            remedy="make room, or choose another folder with --out; --resume then writes the report at once",
        )
    return UsageError(
        f"The output folder {out} cannot be written to: {error.strerror}.",
        remedy="choose another one with --out",
    )


def _renderer(name: str) -> Callable[[AuditReport], str]:
    _, module, function = FORMATS[name]
    renderer: Callable[[AuditReport], str] = getattr(import_module(module), function)
    return renderer


def _stage(folder: Path, text: str) -> str:
    """Write a temporary file beside its goal, down to the disk; it is gone again if that fails."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".report-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary
