"""Versions never change, aliases move, and what is needed is never given up."""

from __future__ import annotations

import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.supply.ledger import Ledger
from gambeson.supply.lineage import Lineage
from gambeson.supply.versions import Registry
from tests.registry_world import World
from tests.trust import NOW


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_versions_are_numbered_and_found_again_by_another_reader(world):
    first, second = world.add("dataset", "people", b"1"), world.add("dataset", "people", b"2")
    assert (first.ref, second.ref, second.digest[0]) == ("people@1", "people@2", "sha256")
    again = Registry(Ledger(world.records), "bob")
    assert [v.ref for v in again.versions("people")] == ["people@1", "people@2"]
    assert again.version("people") == second
    assert again.version("people@1") == first


@pytest.mark.parametrize(
    "ref", ["people", "other@1", "people@3", "people@0", "people@production", "people@-1"]
)
def test_what_is_not_there_is_said(world, ref):
    if ref != "people":
        world.add("dataset", "people", b"1")
    with pytest.raises(UsageError, match=r"no dataset or model|no version or alias"):
        world.registry.version(ref)


@pytest.mark.parametrize("name", ["", "a b", "../x", ".x", "x" * 65, "a@b"])
def test_a_name_is_a_word(world, name):
    with pytest.raises(UsageError, match="no name"):
        world.registry.add("dataset", name, ("", None), Lineage())


def test_a_name_belongs_to_one_kind(world):
    world.add("dataset", "people", b"1")
    with pytest.raises(UsageError, match="is a dataset"):
        world.add("model", "people", b"1")


def test_an_input_must_exist(world):
    with pytest.raises(UsageError):
        world.add("model", "churn", b"1", Lineage(inputs=("people@1",)))


def test_an_alias_moves_and_remembers(world):
    versions = [world.add("model", "churn", bytes([n])) for n in range(3)]
    for number in (0, 2, 1):
        world.registry.move(versions[number], "production", reason=f"r{number}")
    assert world.registry.version("churn@production") == versions[1]
    assert [(m.number, m.reason) for m in world.registry.moves("churn", "production")] == [
        (1, "r0"), (3, "r2"), (2, "r1"),
    ]  # fmt: skip
    with pytest.raises(UsageError):
        world.registry.move(versions[0], "7", reason="")


def test_what_is_needed_is_not_retired(world):
    data = world.add("dataset", "people", b"1")
    model = world.add("model", "churn", b"2", Lineage(inputs=("people@1",)))
    world.registry.move(model, "production", reason="")
    for version, users in ((data, "churn@1"), (model, "churn@production")):
        with pytest.raises(Refused, match=users):
            world.registry.retire(version, "old")
    newer = world.add("model", "churn", b"3")
    world.registry.move(newer, "production", reason="")
    world.registry.retire(model, "old")
    world.registry.retire(data, "old")
    assert world.registry.is_retired(data)
    with pytest.raises(Refused, match="was retired"):
        world.registry.move(model, "production", reason="")


def test_two_writers_give_two_numbers(world):
    other = Registry(Ledger(world.records, lambda: NOW), "bob")

    def rival():
        world.records.rival = lambda: None
        world.registry, mine = other, world.registry
        world.add("dataset", "people", b"bob")
        world.registry = mine

    world.records.rival = rival
    assert world.add("dataset", "people", b"ann").ref == "people@2"
    assert [(v.number, v.entry.by) for v in world.registry.versions("people")] == [(1, "bob"), (2, "ann")]


def test_a_record_that_says_nothing_readable_is_refused(world):
    world.registry.ledger.append("ann", "version", lambda: {"name": "x"})
    with pytest.raises(IntegrityError, match="cannot be read"):
        world.registry.all()
