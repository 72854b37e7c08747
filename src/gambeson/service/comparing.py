"""Compares two versions of a dataset."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.differences import Difference, compare_datasets
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.service.tracing import Workspace
from gambeson.service.versioning import read_dataset_version
from gambeson.supply.versions import Kind, Version


def compare_versions(workspace: Workspace, before: str, after: str) -> Difference:
    """What changed from one version to another.

    Args:
        workspace: Where.
        before: ``name@version``.
        after: ``name@version``.

    Raises:
        UsageError: One is no dataset, was retired or kept raw, or their features differ.
    """
    registry = workspace.registry
    versions = (registry.version(before), registry.version(after))
    with tempfile.TemporaryDirectory(prefix="gambeson-") as name:
        opened = [_open(workspace, v, Path(name) / str(place)) for place, v in enumerate(versions)]
        return compare_datasets(opened[0], opened[1])


def _open(workspace: Workspace, version: Version, folder: Path) -> Dataset:
    if version.kind is not Kind.DATASET:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected="a dataset")
    path = read_dataset_version(workspace, version, folder)
    return open_dataset(path, options=DataOptions.from_pairs(version.lineage.reading))
