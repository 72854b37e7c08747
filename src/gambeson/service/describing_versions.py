"""Writes what other tools read about a version: a CycloneDX bill of materials, Croissant metadata."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gambeson.core.errors import GambesonError, IntegrityError, UsageError
from gambeson.data.schema import Kind as FeatureKind
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.service.attesting import audits_of
from gambeson.service.tracing import Workspace
from gambeson.service.versioning import read_dataset_version
from gambeson.supply.bom import Material, bill_of_materials
from gambeson.supply.croissant import Column, Described, contradiction, read_croissant, to_croissant
from gambeson.supply.files import list_files
from gambeson.supply.tree import TreeFile
from gambeson.supply.versions import Kind, Version

_TYPES = {FeatureKind.NUMERIC: "Float", FeatureKind.INTEGER: "Integer", FeatureKind.CATEGORICAL: "Text"}


def describe_model(workspace: Workspace, ref: str) -> dict[str, Any]:
    """The CycloneDX bill of materials of a model, with the figures of its newest signed audit.

    Raises:
        UsageError: It is no model.
        IntegrityError: A list of files is damaged.
    """
    from gambeson import __version__

    version = workspace.registry.version(ref)
    if version.kind is not Kind.MODEL:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected="a model")
    audits = audits_of(workspace, version)
    return bill_of_materials(
        _material(workspace, version),
        [_material(workspace, item) for item in ancestors(workspace, version)],
        audits[-1].predicate if audits else None,
        tool=__version__,
        at=workspace.clock(),
    )


def describe_dataset(workspace: Workspace, ref: str) -> dict[str, Any]:
    """The Croissant metadata of a version of a dataset.

    Raises:
        UsageError: It is no dataset.
    """
    version = workspace.registry.version(ref)
    if version.kind is not Kind.DATASET:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected="a dataset")
    return to_croissant(version, workspace.store.tree(version.tree).files, _columns(workspace, version))


def read_description(path: Path, content: Path) -> Described:
    """What a Croissant file says about files that lie here.

    Raises:
        UsageError: It cannot be read.
        IntegrityError: It is no Croissant metadata, or the files are not what it describes.
    """
    from gambeson.core.reproduce import digest_file

    try:
        described = read_croissant(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", expected="Croissant metadata") from None
    files = [
        TreeFile(f.name, f.size, digest_file(f.path).removeprefix("sha256:")) for f in list_files(content)
    ]
    if wrong := contradiction(described, files):
        raise IntegrityError(f"{content} is not what {path} describes: {wrong}.", remedy="fetch both again")
    return described


def ancestors(workspace: Workspace, version: Version) -> list[Version]:
    """Every version that went into one, each once, the nearest first."""
    found: dict[str, Version] = {}
    pending = list(version.lineage.inputs)
    while pending:
        ref = pending.pop(0)
        if ref not in found:
            found[ref] = workspace.registry.version(ref)
            pending += found[ref].lineage.inputs
    return list(found.values())


def _material(workspace: Workspace, version: Version) -> Material:
    kept = not workspace.registry.is_retired(version)
    return Material(version, workspace.store.tree(version.tree).files if kept else ())


def _columns(workspace: Workspace, version: Version) -> list[Column]:
    """Columns of a CSV file with a header; none for other data."""
    reading = dict(version.lineage.reading)
    with tempfile.TemporaryDirectory(prefix="gambeson-") as name:
        path = read_dataset_version(workspace, version, Path(name) / "files")
        if path.suffix != ".csv" or reading.get("header") == "none":
            return []
        try:
            data = open_dataset(path, options=DataOptions.from_pairs(version.lineage.reading))
        except GambesonError:  # kept raw: nobody knows its columns
            return []
    columns = [Column(feature.name, _TYPES[feature.kind]) for feature in data.schema.features]
    label = reading.get("label")
    return columns + ([Column(label, "Text")] if label else [])
