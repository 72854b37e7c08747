"""The store gives back what it was given, keeps a change small, and notices everything else."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.supply.files import list_files
from gambeson.supply.store import Store
from tests.memory_store import MemoryObjects
from tests.trust import write_tree


def table(rows=4000, changed=(), seed=0):
    rng = np.random.default_rng(seed)
    lines = [",".join(map(str, rng.integers(0, 10_000, 8))) for _ in range(rows)]
    for place in changed:
        lines[place] = ",".join(map(str, rng.integers(0, 10_000, 8)))
    return "\n".join(lines).encode()


@pytest.fixture
def store():
    return Store(MemoryObjects())


def add(store, root, like=None):
    return store.add_tree(list_files(root), like=like)


def test_files_are_checked_out_as_they_were(store, tmp_path):
    files = {"a.csv": table(), "b/c.bin": bytes(300_000), "d": b"", "e": b"x"}
    name, tree = add(store, write_tree(tmp_path / "in", files))
    assert store.check(name) == tree
    store.check_out(name, tmp_path / "out")
    assert {f.name: f.path.read_bytes() for f in list_files(tmp_path / "out")} == files


def test_the_same_content_takes_no_more_room(store, tmp_path):
    add(store, write_tree(tmp_path / "a", {"a.csv": table()}))
    room = store.objects.sizes()
    add(store, write_tree(tmp_path / "b", {"a.csv": table()}))
    assert store.objects.sizes() == room


@pytest.mark.parametrize("where", ["scattered", "together"])
def test_one_percent_changed_rows_store_about_one_percent(store, tmp_path, where):
    rng = np.random.default_rng(1)
    rows = rng.choice(4000, 40, replace=False) if where == "scattered" else range(1000, 1040)
    first, _ = add(store, write_tree(tmp_path / "a", {"a.csv": table()}))
    room = store.objects.sizes()
    second, _ = add(store, write_tree(tmp_path / "b", {"a.csv": table(changed=rows)}), like=first)
    assert 0.005 < (store.objects.sizes() - room) / room < 0.025
    store.check(second)


def test_one_percent_changed_files_store_about_one_percent(store, tmp_path):
    rng = np.random.default_rng(2)
    files = {f"{i:04d}.jpg": rng.bytes(900) for i in range(1000)}
    first, _ = add(store, write_tree(tmp_path / "a", files))
    room = store.objects.sizes()
    changed = {name: rng.bytes(900) for name in list(files)[::100]}
    add(store, write_tree(tmp_path / "b", files | changed), like=first)
    assert (store.objects.sizes() - room) / room < 0.02


def test_every_piece_that_is_lost_or_changed_is_found(store, tmp_path):
    first, _ = add(store, write_tree(tmp_path / "a", {"a.csv": table(rows=2000)}))
    second, _ = add(
        store, write_tree(tmp_path / "a", {"a.csv": table(rows=2000, changed=[5, 900])}), like=first
    )
    kept = dict(store.objects.pieces)
    for piece in store.names(second):
        for wrong in (None, kept[piece][:-9] + bytes([kept[piece][-9] ^ 1]) + kept[piece][-8:]):
            store.objects.pieces = {n: c for n, c in kept.items() if n != piece} | (
                {piece: wrong} if wrong else {}
            )
            with pytest.raises(IntegrityError):
                store.check(second)


def test_sweeping_keeps_what_is_named_and_what_that_rests_on(store, tmp_path):
    first, _ = add(store, write_tree(tmp_path / "a", {"a.csv": table()}))
    second, _ = add(store, write_tree(tmp_path / "a", {"a.csv": table(changed=[7])}), like=first)
    store.add_document(b"nobody needs me")
    assert store.sweep(store.names(second)) > 0
    store.check(second)
    with pytest.raises(IntegrityError):
        store.check(first)


def test_documents_are_named_by_their_content(store):
    name = store.add_document(b"statement")
    assert (store.document(name), store.add_document(b"statement")) == (b"statement", name)
    with pytest.raises(IntegrityError):
        store.tree(name)


def test_nothing_is_checked_out_over_other_files(store, tmp_path):
    name, _ = add(store, write_tree(tmp_path / "a", {"a.csv": b"1"}))
    with pytest.raises(UsageError, match="not empty"):
        store.check_out(name, tmp_path / "a")


@pytest.mark.parametrize("there", [False, True])
def test_a_check_out_that_fails_leaves_nothing(store, tmp_path, there):
    name, tree = add(store, write_tree(tmp_path / "a", {"a.csv": table(), "b/c.csv": table(seed=1)}))
    last = tree.pieces[-1].name
    store.objects.pieces[last] = store.objects.pieces[last][:-9] + bytes(9)
    if there:
        (tmp_path / "out").mkdir()
    with pytest.raises(IntegrityError):
        store.check_out(name, tmp_path / "out")
    assert (tmp_path / "out").exists() is there
    assert not there or list((tmp_path / "out").iterdir()) == []
