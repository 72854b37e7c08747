"""Adds versions of datasets and models, takes them out again, gives them up."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.core.ports import NoProgress, Progress
from gambeson.core.reproduce import digest_file
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.service.attesting import require_trusted, sign_version
from gambeson.service.tracing import Workspace
from gambeson.supply.files import list_files
from gambeson.supply.keys import PrivateKey
from gambeson.supply.lineage import Lineage, Pairs, Source
from gambeson.supply.tree import TreeFile, dir_hash
from gambeson.supply.versions import Kind, Version, check_name

_PACKAGES = ("numpy", "scikit-learn", "torch", "onnx", "xgboost-cpu", "lightgbm", "pandas", "skops")


@dataclass(frozen=True, slots=True)
class AddCommand:
    """A version to add.

    Attributes:
        kind: Dataset or model.
        name: Of the dataset or model.
        path: Its file or folder.
        sources: What it was made from, from outside; a missing digest is taken from the file of that path.
        inputs: Versions in the registry that it was made from.
        code: Files of code that made it.
        parameters: Of that code.
        reading: Options to open a dataset with.
        run: The training run, where one is known.
        licence, note: In words.
        raw: Keep a dataset although it cannot be opened as one; it is then not validated.
    """

    kind: Kind
    name: str
    path: Path
    sources: tuple[Source, ...] = ()
    inputs: tuple[str, ...] = ()
    code: tuple[Path, ...] = ()
    parameters: Pairs = ()
    reading: Pairs = ()
    run: Pairs = ()
    licence: str = ""
    note: str = ""
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """A new version, the bytes that the store grew by, and the signed documents about it."""

    version: Version
    grown: int
    stored: int
    documents: tuple[str, ...] = field(default=())


def add_version(
    workspace: Workspace,
    command: AddCommand,
    key: PrivateKey | None = None,
    progress: Progress = NoProgress(),  # noqa: B008
) -> Added:
    """Validate, store and record a version; sign its provenance where there is a key.

    Raises:
        UsageError, IntegrityError, Refused: It cannot be read, is no valid dataset, or the key is not trusted.
        Unavailable: The store cannot be written to.
    """
    check_name(command.name)
    registry, store = workspace.registry, workspace.store
    registry.require_kind(command.name, command.kind)
    if key is not None:
        require_trusted(workspace, key)
    content = _validated(command) if command.kind is Kind.DATASET and not command.raw else ""
    inputs = tuple(registry.version(ref).ref for ref in command.inputs)
    lineage = Lineage(
        tuple(_digested(source) for source in command.sources),
        inputs,
        tuple((str(path), _code_digest(path)) for path in command.code),
        command.parameters,
        environment(),
        command.reading,
        command.run,
        command.licence,
        command.note,
    )
    before = registry.versions(command.name)
    with store.objects.writing():
        room = store.objects.sizes()
        like = next((v.tree for v in reversed(before) if not registry.is_retired(v)), None)
        name, tree = store.add_tree(list_files(command.path), like=like, progress=progress)
        added = registry.add(command.kind, command.name, (name, tree), lineage, content)
    documents = sign_version(workspace, added, key) if key else ()
    stored = store.objects.sizes()
    return Added(added, stored - room, stored, documents)


def read_dataset_version(workspace: Workspace, version: Version, folder: Path) -> Path:
    """Check a version out; the path to open it by: its file where it is one, else the folder."""
    if workspace.registry.is_retired(version):
        raise UsageError(f"The content of {version.ref} was retired.", expected="a version that is kept")
    paths = workspace.store.check_out(version.tree, folder)
    return paths[0] if len(paths) == 1 else folder


def retire_version(workspace: Workspace, ref: str, reason: str) -> Version:
    """Give up the content of a version that nothing needs.

    Raises:
        Refused: Something needs it.
    """
    version = workspace.registry.version(ref)
    workspace.registry.retire(version, reason)
    return version


def sweep(workspace: Workspace) -> tuple[int, int]:
    """Delete what no kept version and no record needs; returns pieces and bytes that went.

    Raises:
        IntegrityError: Something that is needed is damaged: then nothing is deleted.
    """
    store, registry = workspace.store, workspace.registry
    with store.objects.sweeping():
        room = store.objects.sizes()
        keep: set[str] = set()
        for version in registry.all():
            if not registry.is_retired(version):
                keep |= store.names(version.tree)
            keep |= {item.document for item in registry.attached(version)}
            for alias in registry.aliases(version.name):
                keep |= {move.document for move in registry.moves(version.name, alias) if move.document}
        keep |= reports_of(workspace, keep)
        gone = store.sweep(store.closure(keep))
        return gone, room - store.objects.sizes()


def reports_of(workspace: Workspace, documents: set[str]) -> set[str]:
    """The audit reports that signed audits name."""
    from gambeson.service.attesting import audits_of

    return {
        audit.report
        for version in workspace.registry.all()
        for audit in audits_of(workspace, version)
        if audit.document in documents
    }


def digest_of_source(source: Source) -> tuple[str, str] | None:
    """Digest of a source's file or folder as it is now; ``None`` where it is not on this machine."""
    path = Path(source.uri.removeprefix("file://").removeprefix("file:"))
    if not path.exists():
        return None
    files = list_files(path)
    listed = [TreeFile(f.name, f.size, digest_file(f.path).removeprefix("sha256:")) for f in files]
    return ("sha256", listed[0].sha256) if path.is_file() else ("dirHash", dir_hash(listed))


def environment() -> Pairs:
    """What runs here: Python, the machine, Gambeson, and the versions of the packages that train models."""
    from gambeson import __version__

    found = [("python", platform.python_version()), ("platform", f"{sys.platform} {platform.machine()}")]
    found.append(("gambeson", __version__))
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def _validated(command: AddCommand) -> str:
    """The digest by which an audit knows the data, after all of it was looked at."""
    return open_dataset(command.path, options=DataOptions.from_pairs(command.reading)).digest


def _digested(source: Source) -> Source:
    if source.digest[1]:
        return source
    digest = digest_of_source(source)
    if digest is None and "://" not in source.uri:
        raise UsageError(
            f"The source {source.uri} is not here.",
            expected="a file or folder, or an address with sha256=...",
        )
    return Source(source.uri, digest or ("", ""), source.licence, source.by, source.when)


def _code_digest(path: Path) -> str:
    try:
        return digest_file(path).removeprefix("sha256:")
    except OSError as error:
        raise UsageError(f"The code {path} cannot be read: {error.strerror}.") from None
