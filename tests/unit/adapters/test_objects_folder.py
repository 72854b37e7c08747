"""Pieces in a folder: whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gambeson.adapters.objects_folder import FolderObjects
from gambeson.core.errors import IntegrityError, Unavailable

A, B = "a" * 64, "b" * 64

LIMITED = """
import resource, sys
from pathlib import Path
from gambeson.adapters.objects_folder import FolderObjects
from gambeson.core.errors import Unavailable
objects = FolderObjects(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    objects.save([("c" * 64, b"x" * 500), ("d" * 64, b"x" * 5000)])
except Unavailable as error:
    print(error)
"""


@pytest.fixture
def objects(tmp_path):
    return FolderObjects(tmp_path / "store")


def test_pieces_are_kept_listed_and_removed(objects):
    objects.save([(A, b"one"), (B, b"two")])
    assert (objects.load(A), objects.has(B), sorted(objects.names()), objects.sizes()) == (
        b"one",
        True,
        [A, B],
        6,
    )
    objects.remove([A, "c" * 64])
    assert (objects.has(A), list(objects.names())) == (False, [B])


def test_an_empty_store_holds_nothing(objects):
    assert (list(objects.names()), objects.sizes(), objects.has(A)) == ([], 0, False)
    with pytest.raises(IntegrityError, match="has lost"):
        objects.load(A)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_a_name_leads_nowhere_else(objects, name):
    with pytest.raises(IntegrityError, match="no name of a piece"):
        objects.load(name)


def test_every_piece_is_forced_to_the_disk_before_it_gets_its_name(objects, monkeypatch):
    order = []
    replace, fsync = os.replace, os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("sync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names: (order.append("name"), replace(*names)))
    objects.save([(A, b"one"), (B, b"two")])
    assert order[:4] == ["sync", "sync", "name", "name"]
    assert order[4:] == ["sync"] * 4  # two folders of pieces, objects/ and the root


def test_a_full_disk_is_refused_and_nothing_is_half_written(objects):
    objects.save([(A, b"one")])
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(objects.root)], capture_output=True, text=True, check=True
    )
    assert "cannot be written to" in done.stdout
    assert list(objects.names()) == [A]
    assert list((objects.root / "staging").iterdir()) == []


def test_a_path_that_cannot_be_written_is_refused():
    with pytest.raises(Unavailable, match="cannot be written to"):
        FolderObjects(Path("/proc/nowhere")).save([(A, b"1")])


def test_what_a_crash_left_is_never_a_piece_and_is_swept(objects):
    objects.save([(A, b"one")])
    (objects.root / "staging" / "tmpx").write_bytes(b"half")
    assert list(objects.names()) == [A]
    objects.remove([])
    assert list((objects.root / "staging").iterdir()) == []


def test_nobody_sweeps_while_somebody_writes(objects):
    seen = []

    def sweep():
        with FolderObjects(objects.root).sweeping():
            seen.append("swept")

    with objects.writing():
        with FolderObjects(objects.root).writing():  # a second writer need not wait
            other = threading.Thread(target=sweep)
            other.start()
            other.join(0.2)
        assert seen == []
    other.join(10)
    assert seen == ["swept"]
