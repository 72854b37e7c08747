"""A bill of materials of a model: what it is, what it was made from, what its audits measured.

Source: CycloneDX 1.6 (ECMA-424), "machine-learning-model" and "data" components, ``modelCard``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gambeson.supply.lineage import Source
from gambeson.supply.tree import TreeFile
from gambeson.supply.versions import Version

SPEC = "1.6"
_NAMESPACE = uuid.UUID("6f2c1d6e-58f4-5d0a-9f8b-3f1c3f5a7a11")
_SPDX = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "GPL-3.0-only", "ISC", "LGPL-3.0-only", "MIT", "MPL-2.0", "ODbL-1.0",
    "ODC-By-1.0", "PDDL-1.0", "Unlicense",
})  # fmt: skip
"""Identifiers that are written as such; other licences by their name."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """A version with its files."""

    version: Version
    files: Sequence[TreeFile]


def bill_of_materials(
    model: Material, inputs: Sequence[Material], audit: Mapping[str, Any] | None, *, tool: str, at: datetime
) -> Json:
    """The bill as JSON.

    Args:
        model: Whose bill it is.
        inputs: All versions that went in.
        audit: Predicate of its newest signed audit, if it has one.
        tool: Version of Gambeson.
        at: When the bill is made.
    """
    version = model.version
    sources = {s.uri: s for material in (model, *inputs) for s in material.version.lineage.sources}
    component = _component("machine-learning-model", model) | {"modelCard": _card(version, inputs, audit)}
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, version.entry.digest)}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(timespec="seconds"),
            "tools": {"components": [{"type": "application", "name": "gambeson", "version": tool}]},
            "component": component,
        },
        "components": [
            *(_component("data", item) | {"data": [_dataset(item)]} for item in inputs),
            *(_source(source) for source in sources.values()),
        ],
        "dependencies": [
            *(_dependency(material) for material in (model, *inputs)),
            *({"ref": _source_ref(source), "dependsOn": []} for source in sources.values()),
        ],
    }


def _component(kind: str, material: Material) -> Json:
    version = material.version
    algorithm, digest = version.digest
    properties = [
        ("gambeson:ledger-record", str(version.entry.number)),
        ("gambeson:files", str(version.files)),
    ]
    properties += [(f"gambeson:environment:{name}", value) for name, value in version.lineage.environment]
    if algorithm != "sha256":
        properties.append((f"gambeson:{algorithm}", digest))
    made: Json = {
        "type": kind,
        "bom-ref": version.ref,
        "name": version.name,
        "version": str(version.number),
        "properties": [{"name": name, "value": value} for name, value in properties],
    }
    if algorithm == "sha256":
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if len(material.files) > 1:
        made["components"] = [_file(version, file) for file in material.files]
    if version.lineage.note:
        made["description"] = version.lineage.note
    return made | _licences(version.lineage.licence)


def _file(version: Version, file: TreeFile) -> Json:
    hashes = [{"alg": "SHA-256", "content": file.sha256}]
    return {"type": "file", "bom-ref": f"{version.ref}/{file.name}", "name": file.name, "hashes": hashes}


def _source(source: Source) -> Json:
    algorithm, digest = source.digest
    made: Json = {
        "type": "data",
        "bom-ref": _source_ref(source),
        "name": source.uri,
        "externalReferences": [{"type": "distribution", "url": source.uri.replace(" ", "%20")}],
        "data": [{"type": "dataset", "name": source.uri}],
    }
    if algorithm == "sha256" and digest:
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if source.by:
        made["supplier"] = {"name": source.by}
    return made | _licences(source.licence)


def _dataset(material: Material) -> Json:
    return {
        "type": "dataset",
        "name": material.version.ref,
        "contents": {"url": f"urn:gambeson:{material.version.ref}"},
    }


def _card(version: Version, inputs: Sequence[Material], audit: Mapping[str, Any] | None) -> Json:
    direct = [item.version.ref for item in inputs if item.version.ref in version.lineage.inputs]
    card: Json = {"modelParameters": {"datasets": [{"ref": ref} for ref in direct]}}
    properties = [{"name": f"parameter:{name}", "value": value} for name, value in version.lineage.parameters]
    if audit is not None:
        card["quantitativeAnalysis"] = {
            "performanceMetrics": [_metric(figure) for figure in audit["figures"]]
        }
        properties.append({"name": "gambeson:audit", "value": str(audit["command"])})
        properties.append({"name": "gambeson:gate", "value": str(audit["gate"]["outcome"])})
    return card | ({"properties": properties} if properties else {})


def _metric(figure: Mapping[str, Any]) -> Json:
    words = (str(figure["target"]), f"n={figure['n']}")
    metric: Json = {
        "type": str(figure["name"]),
        "value": str(figure["value"]),
        "slice": ", ".join(filter(None, words)),
    }
    if figure["interval"]:
        low, high = figure["interval"]
        metric["confidenceInterval"] = {"lowerBound": str(low), "upperBound": str(high)}
    return metric


def _dependency(material: Material) -> Json:
    lineage = material.version.lineage
    needs = [*lineage.inputs, *(_source_ref(source) for source in lineage.sources)]
    return {"ref": material.version.ref, "dependsOn": list(dict.fromkeys(needs))}


def _source_ref(source: Source) -> str:
    return f"source:{source.uri}"


def _licences(licence: str) -> Json:
    if not licence:
        return {}
    return {"licenses": [{"license": {"id" if licence in _SPDX else "name": licence}}]}
