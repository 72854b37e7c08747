"""Takes models from MLflow's registry and hands them over; reads and writes data that DVC tracks."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from gambeson.core.errors import Unavailable, UsageError, missing_extra
from gambeson.service.tracing import Workspace
from gambeson.service.versioning import AddCommand, Added, add_version
from gambeson.supply.dvc import check_tracked, read_tracking, tracking_of
from gambeson.supply.files import list_files
from gambeson.supply.keys import PrivateKey
from gambeson.supply.lineage import Source
from gambeson.supply.versions import Kind, Version

_TAG = "gambeson."


def import_mlflow(
    workspace: Workspace,
    name: str,
    uri: str,
    tracking: str,
    *,
    inputs: tuple[str, ...] = (),
    key: PrivateKey | None = None,
) -> Added:
    """Add a model version of MLflow's registry, with its run and parameters as lineage.

    Args:
        workspace: Where to.
        name: In the registry here.
        uri: ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``.
        tracking: Of the MLflow server: an address, ``sqlite:///...`` or a folder.
        inputs: Versions here that it was made from.
        key: Signs it.

    Raises:
        UsageError: MLflow has no such version.
        Unavailable: The server cannot be reached, or the package is missing.
    """
    mlflow, client = _mlflow(tracking)
    with tempfile.TemporaryDirectory(prefix="gambeson-") as folder:
        try:
            found = _model_version(client, uri)
            address = client.get_model_version_download_uri(found.name, found.version)
            path = mlflow.artifacts.download_artifacts(
                artifact_uri=address, dst_path=folder, tracking_uri=tracking
            )
            run = client.get_run(found.run_id) if found.run_id else None
        except mlflow.exceptions.MlflowException as error:
            raise UsageError(
                f"MLflow cannot give {uri}: {_first_line(error)}.", expected="models:/NAME/VERSION"
            ) from None
        command = AddCommand(
            Kind.MODEL,
            name,
            _content(Path(path)),
            sources=(_source(tracking, found),),
            inputs=inputs,
            parameters=tuple(sorted(run.data.params.items())) if run else (),
            run=(("mlflow.model", f"{found.name}/{found.version}"), ("mlflow.run", str(found.run_id or ""))),
            note=str(found.description or ""),
        )
        return add_version(workspace, command, key)


def export_mlflow(workspace: Workspace, ref: str, tracking: str, name: str = "") -> str:
    """Register a version of a model in MLflow; the tags say which one it is.

    Args:
        workspace: Where from.
        ref: The version.
        tracking: As for :func:`import_mlflow`.
        name: In MLflow; the same as here where empty.

    Returns:
        ``models:/NAME/VERSION``.

    Raises:
        UsageError: It is no model, or MLflow does not take it.
        Unavailable: The server cannot be reached, or the package is missing.
    """
    version = workspace.registry.version(ref)
    if version.kind is not Kind.MODEL:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected="a model")
    mlflow, client = _mlflow(tracking)
    name = name or version.name
    with tempfile.TemporaryDirectory(prefix="gambeson-") as folder:
        workspace.store.check_out(version.tree, Path(folder) / "model")
        try:
            made = _register(mlflow, client, version, Path(folder) / "model", name)
        except mlflow.exceptions.MlflowException as error:
            raise UsageError(f"MLflow does not take {version.ref}: {_first_line(error)}.") from None
    return f"models:/{name}/{made}"


def import_dvc(
    workspace: Workspace, tracking: Path, command: AddCommand, key: PrivateKey | None = None
) -> Added:
    """Add data that a ``.dvc`` file tracks, if it is still what was tracked.

    Args:
        workspace: Where to.
        tracking: ``data.csv.dvc``; the data lie beside it.
        command: What else is known; its path is taken from the file.
        key: Signs it.

    Raises:
        IntegrityError: The data were changed since they were tracked, or the file is none of DVC's.
        UsageError: The data are not there: ``dvc pull`` fetches them.
    """
    try:
        tracked = read_tracking(tracking.read_bytes())
    except OSError as error:
        raise UsageError(f"{tracking} cannot be read: {error.strerror}.", expected="a .dvc file") from None
    path = tracking.parent / tracked.path
    if not path.exists():
        raise UsageError(f"{path} is not here.", remedy="fetch it with dvc pull")
    check_tracked(tracked, path)
    source = Source(str(tracking), ("", ""))
    return add_version(workspace, replace(command, path=path, sources=(*command.sources, source)), key)


def export_dvc(workspace: Workspace, ref: str, folder: Path) -> Path:
    """Check a version out into a new folder and write the ``.dvc`` file that ``dvc add`` would.

    Returns:
        The ``.dvc`` file: of the file where there is one, else of the folder ``NAME``.

    Raises:
        UsageError: The folder is not empty.
    """
    version = workspace.registry.version(ref)
    single = version.files == 1
    paths = workspace.store.check_out(version.tree, folder if single else folder / version.name)
    content = paths[0] if single else folder / version.name
    out = content.with_name(content.name + ".dvc")
    out.write_bytes(tracking_of(content))
    return out


def _source(tracking: str, found: Any) -> Source:
    address = tracking if "://" in tracking else Path(tracking).resolve().as_uri()
    return Source(f"{address}#models:/{found.name}/{found.version}", ("", ""), by=str(found.user_id or ""))


def _mlflow(tracking: str) -> tuple[Any, Any]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError:
        raise missing_extra("mlflow", "mlflow") from None
    try:
        return mlflow, MlflowClient(tracking_uri=tracking, registry_uri=tracking)
    except Exception as error:  # MLflow lets through whatever its back end raises
        raise Unavailable(f"MLflow at {tracking} cannot be used: {_first_line(error)}.") from None


def _model_version(client: Any, uri: str) -> Any:
    rest = uri.removeprefix("models:/")
    if "@" in rest:
        return client.get_model_version_by_alias(*rest.split("@", 1))
    name, _, version = rest.rpartition("/")
    if not name or rest == uri:
        raise UsageError(
            f"{uri!r} is no model of MLflow.", expected="models:/NAME/VERSION or models:/NAME@ALIAS"
        )
    return client.get_model_version(name, version)


def _register(mlflow: Any, client: Any, version: Version, folder: Path, name: str) -> str:
    """Upload the files as a run's artifacts and make a model version of them."""
    experiment = client.get_experiment_by_name("gambeson")
    number = experiment.experiment_id if experiment else client.create_experiment("gambeson")
    run = client.create_run(number, run_name=version.ref)
    for parameter, value in version.lineage.parameters:
        client.log_param(run.info.run_id, parameter, value)
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.set_terminated(run.info.run_id)
    if not any(model.name == name for model in client.search_registered_models(f"name='{name}'")):
        client.create_registered_model(name)
    tags = {f"{_TAG}ref": version.ref, f"{_TAG}digest": ":".join(version.digest)}
    source = f"{run.info.artifact_uri.rstrip('/')}/model"
    made = client.create_model_version(
        name, source, run.info.run_id, tags=tags, description=version.lineage.note or None
    )
    return str(made.version)


def _content(folder: Path) -> Path:
    """The downloaded folder, or its only file: a model of one file stays one."""
    files = list_files(folder)
    return files[0].path if len(files) == 1 else folder


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
