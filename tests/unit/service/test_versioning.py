"""Versions are validated, stored once, taken out again and given up only when nothing needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gambeson.core.errors import GambesonError, IntegrityError, Refused, UsageError
from gambeson.core.reproduce import digest_file
from gambeson.service.verifying import verify_store
from gambeson.service.versioning import (
    AddCommand,
    add_version,
    digest_of_source,
    environment,
    read_dataset_version,
    retire_version,
    sweep,
)
from gambeson.supply.lineage import Source
from gambeson.supply.versions import Kind
from tests.trace_world import TraceWorld, rows


@pytest.fixture
def world(tmp_path):
    return TraceWorld(tmp_path)


def test_a_version_knows_its_content_and_where_it_came_from(world):
    version = world.data()
    assert version.content == digest_file(world.root / "people.csv") == f"sha256:{version.digest[1]}"
    (source,) = version.lineage.sources
    assert source.digest == ("sha256", version.digest[1])
    assert dict(version.lineage.environment)["gambeson"]
    assert [item.type for item in world.space.registry.attached(version)] == ["provenance"]


def test_what_is_no_dataset_is_not_added(world):
    path = world.write("people.csv", "a,b\n1,x\n2\n")
    with pytest.raises(GambesonError):
        add_version(world.space, AddCommand(Kind.DATASET, "people", path))
    assert world.records() == []
    assert add_version(world.space, AddCommand(Kind.DATASET, "people", path, raw=True)).version.content == ""


def test_a_changed_row_costs_little(world):
    world.data(rows(20_000))
    text = rows(20_000).replace("yes", "no", 1)
    path = world.write("people.csv", text)
    added = add_version(world.space, AddCommand(Kind.DATASET, "people", path, reading=(("label", "label"),)))
    assert (added.version.ref, added.grown < 0.01 * added.stored) == ("people@2", True)


def test_an_interrupted_import_leaves_the_store_as_it_was(world, monkeypatch):
    world.data()
    monkeypatch.setattr(world.space.registry, "add", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        world.data(rows(seed=5))
    world.space = world.reopened()
    assert [v.ref for v in world.space.registry.all()] == ["people@1"]
    assert verify_store(world.space).problems == ()
    assert sweep(world.space)[0] > 0
    assert verify_store(world.space).problems == ()


def test_a_version_is_taken_out_as_it_was(world, tmp_path):
    version = world.data()
    path = read_dataset_version(world.space, version, tmp_path / "out")
    assert path.read_text() == rows()


def test_what_is_needed_stays_and_what_is_not_goes(world):
    world.released()
    with pytest.raises(Refused, match=r"needed by churn@1"):
        retire_version(world.space, "people@1", "old")
    world.data(rows(seed=1))
    retire_version(world.space, "people@2", "wrong")
    pieces, room = sweep(world.space)
    assert pieces > 0
    assert room > 0
    assert verify_store(world.space).problems == ()
    with pytest.raises(UsageError, match="was retired"):
        read_dataset_version(world.space, world.space.registry.version("people@2"), world.root / "out")


def test_a_damaged_store_is_not_swept(world):
    version = world.data()
    store = world.space.store
    path = store.objects._path(store.tree(version.tree).pieces[0].name)
    path.chmod(0o644)
    path.write_bytes(b"other")
    before = sorted(store.objects.names())
    with pytest.raises(IntegrityError):
        sweep(world.space)
    assert sorted(store.objects.names()) == before


def test_a_source_is_digested_where_it_is_and_must_be_there_or_far_away(world):
    path = world.write("raw.csv", "x")
    assert digest_of_source(Source(str(path), ("", ""))) == ("sha256", digest_file(path)[7:])
    assert digest_of_source(Source("https://example.org/x", ("", ""))) is None
    assert digest_of_source(Source(str(world.root), ("", "")))[0] == "dirHash"
    command = AddCommand(Kind.MODEL, "m", path, sources=(Source("missing.csv", ("", "")),))
    with pytest.raises(UsageError, match="is not here"):
        add_version(world.space, command)


@pytest.mark.parametrize(
    "change", [{"name": "../x"}, {"inputs": ("nothing@1",)}, {"code": (Path("none.py"),)}]
)
def test_a_wrong_command_changes_nothing(world, change):
    path = world.write("m.json", "{}")
    given = {"kind": Kind.MODEL, "name": "m", "path": path} | change
    with pytest.raises(UsageError):
        add_version(world.space, AddCommand(**given))
    assert world.records() == []


def test_the_environment_names_the_packages_that_are_here():
    assert {"python", "platform", "gambeson", "numpy"} <= {name for name, _ in environment()}
