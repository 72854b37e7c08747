"""Dataset metadata in the Croissant format (1.0): written for a version, read as what vouches for a source.

Source: MLCommons Croissant Format Specification 1.0.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gambeson.core.errors import IntegrityError
from gambeson.supply.canonical import parse
from gambeson.supply.tree import TreeFile
from gambeson.supply.versions import Version

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_LICENCES = "https://spdx.org/licenses/"
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, and ``Float``, ``Integer`` or ``Text``."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a Croissant file says of a dataset.

    Attributes:
        name: Of the dataset.
        licence: SPDX identifier or address.
        by: Who made it.
        when: When it was published.
        files: ``(name, sha256 hex)``; the digest is empty where it gives none.
    """

    name: str
    licence: str
    by: str
    when: str
    files: tuple[tuple[str, str], ...]


def to_croissant(version: Version, files: Sequence[TreeFile], columns: Sequence[Column]) -> dict[str, Any]:
    """The metadata of a version as JSON-LD.

    Args:
        version: Of a dataset.
        files: Its files.
        columns: Of its table, where it is one CSV file; else none.
    """
    licence = version.lineage.licence
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": version.name,
        "description": version.lineage.note or f"Version {version.number} of {version.name}.",
        "version": f"{version.number}.0.0",
        "datePublished": version.entry.time.date().isoformat(),
        "creator": {"@type": "sc:Person", "name": version.entry.by},
        "url": f"urn:gambeson:{version.ref}",
        "citeAs": f"{version.ref}, {version.digest[0]}:{version.digest[1]}",
        "distribution": [_file(file) for file in files],
    }
    if licence:
        described["license"] = licence if "://" in licence else f"{_LICENCES}{licence}.html"
    if columns and len(files) == 1:
        fields = [_field(column, files[0].name) for column in columns]
        described["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}]
    return described


def read_croissant(content: bytes) -> Described:
    """What a Croissant file says.

    Raises:
        IntegrityError: It is no Croissant metadata.
    """
    tree = parse(content, "Croissant metadata")
    if not isinstance(tree, dict) or not str(tree.get("conformsTo", "")).startswith(
        "http://mlcommons.org/croissant/"
    ):
        raise IntegrityError("This is no Croissant metadata.", expected=f"conformsTo: {CONFORMS_TO}")
    listed = tree.get("distribution", [])
    files = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return Described(
        str(tree.get("name", "")),
        _licence(_text(tree.get("license", ""))),
        _text(tree.get("creator") or tree.get("publisher") or ""),
        str(tree.get("datePublished", "")),
        tuple(
            (str(f.get("name") or f.get("@id", "")), str(f.get("sha256", "")))
            for f in files
            if f.get("@type") in ("cr:FileObject", "FileObject")
        ),
    )


def contradiction(described: Described, files: Sequence[TreeFile]) -> str:
    """What in the files is not as the metadata says; empty if nothing is."""
    known = {file.name.rpartition("/")[2]: file.sha256 for file in files}
    for name, digest in described.files:
        found = known.get(name.rpartition("/")[2])
        if digest and found is not None and found != digest:
            return f"{name} has the digest {found[:16]}, its metadata says {digest[:16]}"
    return ""


def _file(file: TreeFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": mimetypes.guess_type(file.name)[0] or _UNKNOWN,
        "sha256": file.sha256,
    }


def _field(column: Column, file: str) -> dict[str, Any]:
    source = {"fileObject": {"@id": file}, "extract": {"column": column.name}}
    names = {"@id": f"rows/{column.name}", "name": column.name}
    return {"@type": "cr:Field", **names, "dataType": f"sc:{column.type}", "source": source}


def _text(value: object) -> str:
    """A name from text, from a thing with a name, or from a list of those."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("@id") or "")
    return str(value)


def _licence(text: str) -> str:
    return text.removeprefix(_LICENCES).removesuffix(".html") if text.startswith(_LICENCES) else text
