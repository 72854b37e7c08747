"""Scanners: what they see of a file, how they report, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.registry import Registry
from gambeson.supply.content import Content
from gambeson.supply.scan_rules import TAXONOMY, rules
from gambeson.supply.sniffing import Format

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a scan follows what a file holds.

    Attributes:
        depth: Archives within archives.
        members: Entries of all archives within one file.
        expanded: Bytes that decompression may yield for one file.
        ratio: Expansion beyond which more than ``large`` bytes are a bomb.
        large: Bytes up to which any expansion is accepted.
    """

    depth: int = 8
    members: int = 200_000
    expanded: int = 8 << 30
    ratio: int = 250
    large: int = 256 << 20


@dataclass(slots=True)
class Budget:
    """What is left of the limits for one file."""

    members: int
    expanded: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One file, or one member of an archive, as a scanner sees it.

    Attributes:
        content: Its bytes.
        name: Its own name, without the archive's.
        place: Where it lies: ``model.pt!archive/data.pkl``.
        format: What the content is.
        inside: Formats of the archives around it, outermost first.
        limits: How far to follow.
        budget: What is left of them.
        follow: Scans a member; set by the scan.
        path: The file on disk, or ``None`` for a member and for bytes in memory.
    """

    content: Content
    name: str
    place: str
    format: Format
    limits: Limits
    budget: Budget
    follow: Callable[[Visit], Iterator[Finding]]
    inside: tuple[Format, ...] = ()
    path: Path | None = None

    def hit(
        self, rule: str, detail: str, *, offset: int | None = None, severity: Severity | None = None
    ) -> Finding:
        """A finding by a rule of this scan.

        Args:
            rule: Its id.
            detail: What was found, in a few words; shown behind the rule's claim.
            offset: Byte offset within ``content``.
            severity: Where it is not the rule's own.
        """
        facts = rules()[rule]
        where = self.place if offset is None else f"{self.place}@{offset}"
        shown = detail if len(detail) <= _LONGEST else detail[: _LONGEST - 1] + "…"
        return Finding(
            check=rule,
            title=f"{facts.claim}: {shown}" if shown else facts.claim,
            family=Family.POISONING,
            access=None,
            outcome=Outcome.FAILED,
            severity=severity or facts.severity,
            remedy=facts.remedy,
            target=where,
            taxonomy=TAXONOMY,
        )

    def member(self, name: str, content: Content) -> Iterator[Finding]:
        """Scan something inside this: what it is, is found out anew."""
        if len(self.inside) >= self.limits.depth or self.budget.members <= 0:
            yield self.hit("scan.archive.bomb", f"{name} was not looked at")
            return
        self.budget.members -= 1
        place = f"{self.place}!{name}"
        yield from self.follow(
            replace(
                self, content=content, name=name, place=place, inside=(*self.inside, self.format), path=None
            )
        )


Scan = Callable[[Visit], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class ScannerFacts:
    """What a scanner declares.

    Attributes:
        formats: What it reads.
        about: What it looks for, in one line.
        magic: First bytes of a format of its own, for one that is not in ``Format``.
        rules: Names of rules that it can report.
    """

    formats: tuple[Format, ...]
    about: str
    magic: tuple[bytes, ...] = ()
    rules: tuple[str, ...] = field(default=())


scanners: Registry[Scan, ScannerFacts] = Registry(
    "scanner",
    tuple(
        f"gambeson.supply.scanners.{name}"
        for name in (
            "compressed", "config_text", "gguf", "hdf5", "json_text", "keras_archive", "lightgbm_text", "native",
            "numpy_array", "onnx_model", "pickled", "safetensors", "skops_archive", "tar_archive", "tensorflow_graph",
            "torch_archive", "torch_legacy", "ubjson", "zip_archive",
        )
    ),
)  # fmt: skip
"""Every scanner; third parties join through the entry-point group ``gambeson.scanners``."""
