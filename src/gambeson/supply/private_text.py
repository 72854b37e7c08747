"""What text inside a file tells about the people and machines that made it: secrets, addresses, paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MOST = 20
"""Traces of one kind that are kept."""

_SECRETS = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|hf_[A-Za-z0-9]{30,}"
    r"|sk-[A-Za-z0-9_-]{32,}|xox[abpr]-[A-Za-z0-9-]{20,}|AIza[0-9A-Za-z_-]{35}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{10,}"
    r"|(?i:password|passwd|secret|api_?key|access_?token)[\"']?\s*[:=]\s*[\"']?[^\s\"',}{]{6,}"
    r"|[a-z][a-z0-9+]*://[^\s/:@\"']+:[^\s/@\"']+@"
)
_ADDRESS = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b"
)
_PATH = re.compile(
    r"(?:/(?:home|Users|root|mnt|data|scratch|srv|opt|var|tmp|gpfs|nfs|content)/[\w.@+~-]+(?:/[\w.@+~-]+)*"
    r"|[A-Za-z]:\\(?:[\w.@+~ -]+\\)+[\w.@+~-]+|(?:s3|gs|hdfs|abfss?|dbfs)://[\w./@+~-]+)"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that was found.

    Attributes:
        kind: ``"secret"``, ``"address"`` or ``"path"``.
        shown: What to show of it; a secret is cut after its first characters.
    """

    kind: str
    shown: str


def find_traces(texts: Iterable[str]) -> tuple[Trace, ...]:
    """Secrets, e-mail addresses and file paths in some texts, each once, at most twenty of a kind.

    Patterns only: what looks like a secret may be none, and a secret of an unknown make is not found.
    """
    found: dict[str, dict[str, None]] = {"secret": {}, "address": {}, "path": {}}
    for text in texts:
        for match in _SECRETS.finditer(text):
            found["secret"].setdefault(_masked(match[0]))
        for kind, pattern in (("address", _ADDRESS), ("path", _PATH)):
            for match in pattern.finditer(text):
                found[kind].setdefault(match[0][:200])
    return tuple(Trace(kind, shown) for kind, texts_of in found.items() for shown in list(texts_of)[:_MOST])


def _masked(secret: str) -> str:
    head, separator, _ = secret.partition("=") if "=" in secret else secret.partition(": ")
    return f"{head.strip()[:24]}{separator}…" if separator else f"{secret[:8]}…"
