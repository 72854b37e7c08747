"""Scanning: what would happen if a file were loaded, found out without loading it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from gambeson.core.errors import UsageError, missing_extra
from gambeson.core.finding import Finding, Outcome, Severity
from gambeson.supply.content import Content
from gambeson.supply.recognising import contradicts, recognise, suffix_of
from gambeson.supply.scanner import Budget, Limits, Scan, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.zip_directory import END, BrokenZip, find_end, read_directory

_IN_MEMORY = 64 << 20
_PIECE = 1 << 20
_MOST_FINDINGS = 200
_ZIPS = frozenset({
    Format.ZIP, Format.NPZ, Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT, Format.SKOPS, Format.KERAS,
})  # fmt: skip
_CONTAINERS = _ZIPS | {Format.TAR, Format.EMPTY, Format.CLOSED}
_NOT_KNOWN = "it is in no format that is known here"
_SOURCE = frozenset((
    ".py", ".pyx", ".ipynb", ".sh", ".bash", ".js", ".ts", ".rb", ".pl", ".lua", ".r", ".c", ".cc", ".cpp",
    ".cu", ".java", ".go", ".rs", ".ps1", ".bat",
))  # fmt: skip
_IS_SOURCE = "it is source code, which a scan does not judge"
_INERT = frozenset({Format.UNKNOWN, Format.TEXT, Format.PICTURE})


@dataclass(frozen=True, slots=True)
class FileScan:
    """What came of one file.

    Attributes:
        path: As it was found.
        outcome: ``PASSED`` looked at and nothing found, ``FAILED`` with findings, ``NOT_ASSESSED`` in no
            known format or skipped, ``ERRORED`` could not be read.
        format: What it is; empty where it was not looked at.
        size: Bytes.
        digest: ``sha256:<hex>`` or ``blake3:<hex>``; empty where it was not read.
        findings: Worst first.
        reason: Why it was not assessed or errored.
    """

    path: str
    outcome: Outcome
    format: str = ""
    size: int = 0
    digest: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def worst(self) -> Severity | None:
        """Severity of the worst finding."""
        return self.findings[0].severity if self.findings else None


def hasher(name: str) -> Callable[[bytes], Any]:
    """The constructor of a digest.

    Raises:
        UsageError: No such digest.
        Unavailable: The package ``blake3`` is missing.
    """
    if name == "sha256":
        return hashlib.sha256
    if name == "blake3":
        try:
            from blake3 import blake3
        except ImportError:
            raise missing_extra("blake3", "scan") from None
        return lambda data: blake3(data)
    raise UsageError(f"Unknown digest {name!r}.", expected="sha256 or blake3")


def scan_bytes(
    data: bytes, name: str, *, path: Path | None = None, limits: Limits | None = None
) -> tuple[Finding, ...]:
    """Findings on bytes in memory, worst first.

    Args:
        data: The very bytes that will be loaded.
        name: What they are called.
        path: Where they lie, if they do: an ONNX model may refer to files beside it.
        limits: How far to follow what is inside.
    """
    return _scan(Content(data), name, path, limits or Limits())[1]


def scan_file(path: str | Path, *, digest: str = "sha256", limits: Limits | None = None) -> FileScan:
    """Digest and scan one file; no link is followed and no device is opened.

    Args:
        path: The file.
        digest: ``"sha256"`` or ``"blake3"``.
        limits: How far to follow what is inside.
    """
    shown = os.fspath(path)
    try:
        descriptor = os.open(shown, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return FileScan(shown, Outcome.ERRORED, reason=error.strerror or str(error))
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return FileScan(shown, Outcome.NOT_ASSESSED, reason="it is no regular file")
        return _scan_open(descriptor, before, shown, hasher(digest), digest, limits or _DEFAULT)
    except OSError as error:
        return FileScan(shown, Outcome.ERRORED, reason=error.strerror or str(error))
    finally:
        os.close(descriptor)


_DEFAULT = Limits()


def _scan_open(
    descriptor: int,
    before: os.stat_result,
    shown: str,
    new: Callable[[bytes], Any],
    digest: str,
    limits: Limits,
) -> FileScan:
    size = before.st_size
    if size <= _IN_MEMORY:
        data = os.read(descriptor, size + 1)
        while len(data) < size and (more := os.read(descriptor, size - len(data))):
            data += more
        size, hexadecimal = len(data), new(data).hexdigest()
        content = Content(data)
    else:
        content, hexadecimal = Content(descriptor, 0, size), _digest(descriptor, new)
    kind, findings = _scan(content, shown, shown, limits)
    if size > _IN_MEMORY and _changed(before, os.fstat(descriptor)):
        return FileScan(shown, Outcome.ERRORED, kind.value, size, reason="it changed while it was scanned")
    outcome, reason = Outcome.FAILED if findings else Outcome.PASSED, ""
    if not findings and kind is Format.UNKNOWN:
        outcome, reason = Outcome.NOT_ASSESSED, _NOT_KNOWN
    elif not findings and suffix_of(shown) in _SOURCE:
        outcome, reason = Outcome.NOT_ASSESSED, _IS_SOURCE
    return FileScan(shown, outcome, kind.value, size, f"{digest}:{hexadecimal}", findings, reason)


def _digest(descriptor: int, new: Callable[[bytes], Any]) -> str:
    state, buffer = new(b""), bytearray(_PIECE)
    view, at = memoryview(buffer), 0
    while count := os.preadv(descriptor, [buffer], at):
        state.update(view[:count])
        at += count
    return str(state.hexdigest())


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_size, after.st_mtime_ns, after.st_ctime_ns,
    )  # fmt: skip


def _scan(
    content: Content, name: str, path: str | Path | None, limits: Limits
) -> tuple[Format, tuple[Finding, ...]]:
    short = name.rpartition("/")[2]
    kind = recognise(content, short)
    if kind in _INERT and not _plugged(content) and not _odd(content, short, kind):
        return kind, ()
    most = max(4 * limits.large, content.size * limits.ratio)
    budget = Budget(limits.members, min(limits.expanded, most))
    visit = Visit(content, short, name, kind, limits, budget, _follow, path=Path(path) if path else None)
    found: list[Finding] = []
    for finding in _look(visit):
        found.append(finding)
        if len(found) >= _MOST_FINDINGS:
            break
    return kind, tuple(sorted(found, key=lambda item: -item.severity.rank))


def _follow(visit: Visit) -> Iterator[Finding]:
    """Scan a member: recognise it, then hand it on."""
    kind = recognise(visit.content, visit.name)
    yield from _look(replace(visit, format=kind))


def _odd(content: Content, name: str, kind: Format) -> bool:
    return bool(contradicts(name, kind)) or _has_end(content)


def _has_end(content: Content) -> bool:
    """Whether a zip archive ends here, whatever the file begins with."""
    size = content.size
    if size < 22 or (size <= len(content.head) and END not in content.head):
        return False
    return find_end(content) >= 0


def _plugged(content: Content) -> list[Scan]:
    """Scanners of third parties whose own magic the content begins with."""
    return [scan for magic, scan in _table()[1] if content.head.startswith(magic)]


def _look(visit: Visit) -> Iterator[Finding]:
    """Everything that the registered scanners say of one content, and what holds for any."""
    if wrong := contradicts(visit.name, visit.format):
        yield visit.hit("scan.file.type", wrong)
    chosen = [*_table()[0].get(visit.format, ()), *_plugged(visit.content)]
    if visit.format not in _CONTAINERS and _has_end(visit.content):
        yield from _joined(visit)
    for scan in chosen:
        try:
            yield from scan(visit)
        except RecursionError:
            yield visit.hit("scan.archive.bomb", "it nests too deeply to be read")
        except (
            ValueError,
            TypeError,
            IndexError,
            KeyError,
            AttributeError,
            ArithmeticError,
            MemoryError,
        ) as error:
            yield visit.hit("scan.scanner.failed", f"{type(error).__name__}: {error}")


def _joined(visit: Visit) -> Iterator[Finding]:
    """Look into the zip archive that is joined to a file of another format."""
    try:
        directory = read_directory(visit.content)
    except BrokenZip:
        return
    if not directory.entries:
        return
    yield visit.hit(
        "scan.file.polyglot", f"{visit.format.value} with a zip archive in it", offset=directory.start
    )
    for scan in _table()[0].get(Format.ZIP, ()):
        yield from scan(replace(visit, format=Format.ZIP))


@cache
def _table() -> tuple[dict[Format, tuple[Scan, ...]], tuple[tuple[bytes, Scan], ...]]:
    """Scanners by format and by magic, looked up once."""
    by_format: dict[Format, tuple[Scan, ...]] = {}
    for entry in scanners:
        for kind in entry.facts.formats:
            by_format[kind] = (*by_format.get(kind, ()), entry.plugin)
    return by_format, tuple((magic, entry.plugin) for entry in scanners for magic in entry.facts.magic)
