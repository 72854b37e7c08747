"""Lineage: where a version came from, as values, as JSON, and as SLSA provenance.

Source: SLSA v1.0, "Provenance"; in-toto Attestation Framework v1, "ResourceDescriptor".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gambeson.core.errors import IntegrityError
from gambeson.supply.statements import Statement, Subject

PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:gambeson:build:v1"
Pairs = tuple[tuple[str, str], ...]
_PAIRS = ("code", "parameters", "environment", "reading", "run")


@dataclass(frozen=True, slots=True)
class Source:
    """Something from outside that went in.

    Attributes:
        uri: Path or address.
        digest: ``(algorithm, hex)``: ``sha256`` of a file, ``dirHash`` of a folder; empty hex where nobody took it.
        licence: SPDX identifier or words; empty if unknown.
        by: Who provided it.
        when: When it was fetched, as given.
    """

    uri: str
    digest: tuple[str, str]
    licence: str = ""
    by: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What went into a version and how.

    Attributes:
        sources: From outside.
        inputs: Versions in the registry, ``name@number``.
        code: ``(path, sha256 hex)`` of each file of code that made it.
        parameters: Of that code.
        environment: Versions of what ran it.
        reading: Options to open it as data with.
        run: The training run: command, start, end, as far as known.
        licence: Of the result.
        note: In words.
    """

    sources: tuple[Source, ...] = ()
    inputs: tuple[str, ...] = ()
    code: Pairs = ()
    parameters: Pairs = ()
    environment: Pairs = ()
    reading: Pairs = ()
    run: Pairs = ()
    licence: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a record holds it."""
        return asdict(self)


def read_lineage(tree: Mapping[str, Any]) -> Lineage:
    """Lineage from a record.

    Raises:
        IntegrityError: It cannot be read.
    """
    try:
        sources = tuple(
            Source(s["uri"], (s["digest"][0], s["digest"][1]), s["licence"], s["by"], s["when"])
            for s in tree["sources"]
        )
        pairs = {name: tuple((str(a), str(b)) for a, b in tree[name]) for name in _PAIRS}
        return Lineage(sources, tuple(tree["inputs"]), **pairs, licence=tree["licence"], note=tree["note"])
    except (KeyError, TypeError, ValueError, IndexError):
        raise IntegrityError("A record of the ledger holds no lineage that can be read.") from None


def provenance(subject: Subject, lineage: Lineage, inputs: Iterable[Subject], by: str) -> Statement:
    """SLSA provenance of a version.

    Args:
        subject: The version.
        lineage: What went in.
        inputs: The versions of ``lineage.inputs`` with their digests, in that order.
        by: Who made it.
    """
    dependencies = [_described(source.uri, source.digest, source) for source in lineage.sources]
    dependencies += [{"name": item.name, "digest": dict(item.digest)} for item in inputs]
    dependencies += [{"name": path, "digest": {"sha256": digest}} for path, digest in lineage.code]
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": dict(lineage.parameters),
        "internalParameters": {"environment": dict(lineage.environment), "run": dict(lineage.run)},
        "resolvedDependencies": dependencies,
    }
    details = {"builder": {"id": f"urn:gambeson:builder:{by}"}, "metadata": {"invocationId": subject.name}}
    return Statement((subject,), PROVENANCE, {"buildDefinition": definition, "runDetails": details})


def _described(uri: str, digest: tuple[str, str], source: Source) -> dict[str, Any]:
    notes = {"licence": source.licence, "by": source.by, "when": source.when}
    described: dict[str, Any] = {"uri": uri, "annotations": {k: v for k, v in notes.items() if v}}
    return described | ({"digest": {digest[0]: digest[1]}} if digest[1] else {})
