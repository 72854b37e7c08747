"""A training command gets the bytes that its lineage names, and what it writes is recorded."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from gambeson.core.errors import ModelError, Refused, UsageError
from gambeson.service.promoting import judge
from gambeson.service.recording import TrainCommand, train_version
from tests.trace_world import TraceWorld, rows
from tests.trust import new_key

TRAIN = """
import pathlib, sys
data, out = map(pathlib.Path, sys.argv[1:3])
if len(sys.argv) > 3: sys.exit(3)
out.write_text('{"rows": %d}' % (len(data.read_text().splitlines()) - 1))
"""


@pytest.fixture
def world(tmp_path):
    world = TraceWorld(tmp_path)
    world.data(rows(50))
    world.data(rows(70))
    return world


def command(world, *more, inputs=("people@1",), words=None):
    script = world.write("train.py", TRAIN)
    given = words or (sys.executable, str(script), "{data}", "{out}", *more)
    return TrainCommand("churn", "churn.json", inputs, given, (("seed", "0"),))


@pytest.mark.parametrize(("ref", "count"), [("people@1", 50), ("people@2", 70), ("people", 70)])
def test_the_command_sees_the_version_that_is_named(world, ref, count):
    added = train_version(world.space, command(world, inputs=(ref,)), world.key)
    (text,) = world.space.store.read(world.space.store.tree(added.version.tree))
    assert text == b'{"rows": %d}' % count


def test_the_run_is_recorded_and_its_provenance_verifies(world):
    version = train_version(world.space, command(world), world.key).version
    run = dict(version.lineage.run)
    assert run["command"].endswith("train.py '{data}' '{out}'")
    assert run["started"] <= run["ended"]
    assert [path for path, _ in version.lineage.code] == [str(world.root / "train.py")]
    held = {r.name for r in judge(world.space, version) if r.holds and r.subject == version.ref}
    assert {"content", "signature", "provenance"} <= held


def test_a_command_that_fails_or_writes_nothing_adds_nothing(world):
    with pytest.raises(ModelError, match="exit 3"):
        train_version(world.space, command(world, "fail"))
    with pytest.raises(ModelError, match="wrote nothing"):
        train_version(world.space, command(world, words=(sys.executable, "-c", "pass", "{data}", "{out}")))
    assert world.space.registry.versions("churn") == []


def test_a_command_says_where_its_data_and_output_belong(world):
    for words, inputs in (
        (("x", "{data}"), ("people@1",)),
        (("x", "{out}"), ("people@1",)),
        (("{data}", "{out}"), ()),
    ):
        with pytest.raises(UsageError, match="does not say where"):
            train_version(world.space, TrainCommand("churn", "c.json", inputs, words))
    with pytest.raises(UsageError, match="cannot be run"):
        train_version(world.space, command(world, words=("no-such-program", "{data}", "{out}")))


def test_several_inputs_are_told_apart_by_name(world):
    words = (sys.executable, str(world.write("train.py", TRAIN)), "{data:people}", "{out}")
    assert train_version(world.space, command(world, words=words)).version.lineage.inputs == ("people@1",)


def test_a_name_that_is_taken_is_refused_before_the_command_runs(world):
    marker = world.root / "ran"
    words = (sys.executable, "-c", f"open({str(marker)!r}, 'w')", "{data}", "{out}")
    with pytest.raises(UsageError, match="'people' is a dataset"):
        train_version(world.space, replace(command(world, words=words), name="people"), world.key)
    assert not marker.exists()


def test_a_key_that_counts_for_nothing_is_refused_before_the_command_runs(world):
    marker = world.root / "ran"
    words = (sys.executable, "-c", f"open({str(marker)!r}, 'w')", "{data}", "{out}")
    with pytest.raises(Refused, match="not in the keyring"):
        train_version(world.space, command(world, words=words), new_key("stranger"))
    assert not marker.exists()
