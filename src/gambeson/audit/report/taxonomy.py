"""Names for identifiers of attacks: MITRE ATLAS, NIST AI 100-2, OWASP ML Top 10, each with its edition."""

from __future__ import annotations

import difflib
import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from gambeson.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class TaxonomyEntry:
    """One attack as a public catalogue names it.

    Attributes:
        id: Prefix of the catalogue and its identifier, e.g. ``"atlas:AML.T0043.000"``.
        title: Its name there; a sub-technique of ATLAS stands behind its technique and a colon.
        url: Where the catalogue describes it.
        release: Name and edition of the catalogue, e.g. ``"MITRE ATLAS 5.6.0"``.
    """

    id: str
    title: str
    url: str
    release: str


def describe_id(identifier: str) -> TaxonomyEntry:
    """What an identifier such as ``"atlas:AML.T0043"`` stands for.

    Raises:
        UsageError: No catalogue that Gambeson knows has it.
    """
    entries = known_ids()
    if identifier not in entries:
        near = difflib.get_close_matches(identifier, entries, n=1)
        raise UsageError(
            f"Unknown taxonomy identifier {identifier!r}.",
            expected="an identifier of " + ", ".join(sorted({entry.release for entry in entries.values()})),
            remedy=f"did you mean {near[0]!r}?" if near else "",
        )
    return entries[identifier]


@functools.lru_cache
def known_ids() -> MappingProxyType[str, TaxonomyEntry]:
    """Every identifier that Gambeson knows, in the order of the catalogues."""
    text = (files("gambeson.audit.report") / "taxonomy.json").read_text(encoding="utf-8")
    entries: dict[str, TaxonomyEntry] = {}
    for prefix, catalogue in json.loads(text).items():
        titles: dict[str, str] = catalogue["titles"]
        for code, title in titles.items():
            page = f"{code}-{title}".replace(":", "_").replace(" ", "_")
            entries[f"{prefix}:{code}"] = TaxonomyEntry(
                id=f"{prefix}:{code}",
                title=_full_title(code, titles),
                url=catalogue["url"].format(id=code, page=page),
                release=f"{catalogue['name']} {catalogue['release']}",
            )
    return MappingProxyType(entries)


def _full_title(code: str, titles: dict[str, str]) -> str:
    """A sub-technique (``AML.T0043.000``) is named after its technique too: "Data" alone says little."""
    parent = code.rpartition(".")[0]
    return f"{titles[parent]}: {titles[code]}" if parent in titles else titles[code]
