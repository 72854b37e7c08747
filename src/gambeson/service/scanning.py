"""The use-case of a scan: paths in, a result for each file out, with everything that was not looked at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import Any

from gambeson import __version__
from gambeson.core.errors import UsageError
from gambeson.core.finding import Finding, Outcome, Severity
from gambeson.core.ports import Progress
from gambeson.supply.scanner import Limits
from gambeson.supply.scanning import FileScan, hasher, scan_file
from gambeson.supply.walking import Found, walk

SCHEMA_VERSION = "1.0"
_TASK = "scan"
_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class ScanCommand:
    """All that a scan needs to know.

    Attributes:
        paths: Files and folders.
        fail_on: Severity that closes the gate, or ``None`` for never.
        digest: ``"sha256"`` or ``"blake3"``.
        jobs: Processes that scan at the same time.
        limits: How far to follow what files hold.
    """

    paths: tuple[str, ...]
    fail_on: Severity | None = Severity.HIGH
    digest: str = "sha256"
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What came of a scan.

    Attributes:
        files: One result for each path, in the order of the walk.
        fail_on: Severity that closes the gate, or ``None``.
    """

    files: tuple[FileScan, ...]
    fail_on: Severity | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, worst first."""
        found = [finding for file in self.files for finding in file.findings]
        return tuple(sorted(found, key=lambda item: -item.severity.rank))

    @property
    def counts(self) -> dict[str, int]:
        """Files by outcome; every outcome is there."""
        counted = Counter(file.outcome.value for file in self.files)
        return {outcome.value: counted[outcome.value] for outcome in Outcome}

    @property
    def gate(self) -> str:
        """``"closed"`` by a finding, ``"incomplete"`` where a file could not be read, else ``"open"``."""
        worst = max((item.severity.rank for item in self.findings), default=-1)
        if self.fail_on is not None and worst >= self.fail_on.rank:
            return "closed"
        return "incomplete" if self.counts[Outcome.ERRORED.value] else "open"

    @property
    def exit_code(self) -> int:
        """0 open, 1 closed, 2 incomplete."""
        return {"open": 0, "closed": 1, "incomplete": 2}[self.gate]

    def to_json(self) -> str:
        """As JSON; the same files give the same bytes."""
        value = {
            "version": SCHEMA_VERSION,
            "tool": __version__,
            "gate": self.gate,
            "fail_on": self.fail_on.value if self.fail_on else None,
            "counts": self.counts,
            "files": [_file(file) for file in self.files],
        }
        return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def _file(file: FileScan) -> dict[str, Any]:
    given = {
        "path": _text(file.path),
        "outcome": file.outcome.value,
        "format": file.format,
        "size": file.size,
        "digest": file.digest,
        "reason": _text(file.reason),
        "findings": [_finding(item) for item in file.findings],
    }
    return {name: value for name, value in given.items() if value not in ("", [])}


def _finding(item: Finding) -> dict[str, str]:
    return {
        "rule": item.check,
        "severity": item.severity.value,
        "title": _text(item.title),
        "where": _text(item.target),
        "remedy": item.remedy,
    }


def _text(value: str) -> str:
    """Text that UTF-8 can hold: file names may not be."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def run_scan(command: ScanCommand, progress: Progress) -> ScanReport:
    """Scan every file below the paths.

    Args:
        command: What and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: A path does not exist, or a value makes no sense.
        Unavailable: The package for the digest is missing.
    """
    if not command.paths:
        raise UsageError("Nothing to scan was named.", expected="gambeson scan PATH...")
    if command.jobs < 1:
        raise UsageError(f"{command.jobs} jobs were asked for.", expected="at least 1")
    hasher(command.digest)
    found = list(walk(command.paths))
    progress.start(_TASK, len(found))
    files = []
    for file in _scan_all(found, command):
        files.append(file)
        if len(files) % _TOGETHER == 0:
            progress.advance(_TASK, _TOGETHER, file.path)
    progress.finish(_TASK, f"{len(files)} files")
    return ScanReport(tuple(files), command.fail_on)


def _scan_all(found: list[Found], command: ScanCommand) -> Iterator[FileScan]:
    """Results in the order of the walk, whatever the number of processes."""
    scan = partial(_scan_one, digest=command.digest, limits=command.limits)
    if command.jobs == 1 or len(found) < 2:
        yield from map(scan, found)
        return
    many = len(found) > 4 * _TOGETHER
    with ProcessPoolExecutor(command.jobs, get_context("spawn")) as pool:
        yield from pool.map(scan, found, chunksize=_TOGETHER if many else 1)


def _scan_one(found: Found, *, digest: str, limits: Limits) -> FileScan:
    if found.skipped:
        unreadable = found.skipped.startswith("the folder cannot")
        return FileScan(
            found.path, Outcome.ERRORED if unreadable else Outcome.NOT_ASSESSED, reason=found.skipped
        )
    return scan_file(found.path, digest=digest, limits=limits)


def worst_files(report: ScanReport, most: int) -> list[FileScan]:
    """Files with findings or errors, worst first.

    Args:
        report: Of the scan.
        most: How many.
    """
    bad = [file for file in report.files if file.findings or file.outcome is Outcome.ERRORED]
    bad.sort(key=lambda file: -(file.worst.rank if file.worst else 0))
    return list(islice(bad, most))
