"""Round trips with MLflow's real registry, and with the files of DVC."""

from __future__ import annotations

import pytest

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.service.exchanging import export_dvc, export_mlflow, import_dvc, import_mlflow
from gambeson.service.versioning import AddCommand, add_version
from gambeson.supply.versions import Kind
from tests.trace_world import TraceWorld, rows
from tests.trust import write_tree


@pytest.fixture
def world(tmp_path):
    return TraceWorld(tmp_path)


@pytest.fixture
def tracking(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return str(tmp_path / "mlruns")


@pytest.mark.filterwarnings("ignore")
def test_a_model_goes_to_mlflow_and_comes_back_the_same(world, tracking):
    world.data()
    world.model()
    files = write_tree(world.root / "big", {"weights.bin": b"w" * 5000, "config/net.json": b"{}"})
    command = AddCommand(
        Kind.MODEL, "big", files, inputs=("people@1",), parameters=(("seed", "0"),), note="large"
    )
    version = add_version(world.space, command).version
    for ref in ("churn@1", "big@1"):
        uri = export_mlflow(world.space, ref, tracking)
        assert uri == f"models:/{ref.replace('@', '/')}"
        back = import_mlflow(
            world.space, "back-" + ref[:-2], uri, tracking, inputs=("people@1",), key=world.key
        )
        assert back.version.digest == world.space.registry.version(ref).digest
    assert back.version.lineage.parameters == version.lineage.parameters
    assert back.version.lineage.note == "large"
    assert back.documents == ("provenance", "signature")


@pytest.mark.filterwarnings("ignore")
def test_what_mlflow_does_not_have_is_said(world, tracking):
    for uri in ("models:/nothing/1", "models:/nothing@production", "nothing"):
        with pytest.raises(UsageError):
            import_mlflow(world.space, "x", uri, tracking)
    world.data()
    with pytest.raises(UsageError, match="is a dataset"):
        export_mlflow(world.space, "people@1", tracking)


def test_tracked_data_are_added_and_changed_data_are_not(world):
    version = world.data()
    tracking = export_dvc(world.space, version.ref, world.root / "out")
    assert tracking.name == "people.csv.dvc"
    command = AddCommand(Kind.DATASET, "people", tracking, reading=(("label", "label"),))
    added = import_dvc(world.space, tracking, command)
    assert (added.version.ref, added.version.digest) == ("people@2", version.digest)
    assert added.version.lineage.sources[0].uri == str(tracking)
    (world.root / "out" / "people.csv").write_text(rows(seed=4))
    with pytest.raises(IntegrityError, match="was changed"):
        import_dvc(world.space, tracking, command)
    (world.root / "out" / "people.csv").unlink()
    with pytest.raises(UsageError, match="dvc pull"):
        import_dvc(world.space, tracking, command)


def test_a_folder_is_tracked_as_a_folder(world):
    folder = write_tree(world.root / "pics", {"a/1.txt": b"1", "b/2.txt": b"2"})
    add_version(world.space, AddCommand(Kind.DATASET, "pics", folder, raw=True))
    tracking = export_dvc(world.space, "pics", world.root / "out")
    assert tracking.name == "pics.dvc"
    assert b"nfiles: 2" in tracking.read_bytes()
