"""The list of files: one line for each, one digest for all, no name that leads outside."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess

import pytest

from gambeson.core.errors import IntegrityError
from gambeson.supply.tree import Piece, Tree, TreeFile, dir_hash, is_inside, read_tree
from tests.trust import flips, write_tree

TREE = Tree((TreeFile("a/é", 3, "ab" * 32), TreeFile("b", 2, "cd" * 32)), (Piece.of(b"12345"),))


def test_a_tree_comes_back_from_its_text():
    assert read_tree(TREE.to_bytes()) == TREE
    assert TREE.size == 5


def test_the_digest_of_one_file_is_its_own_and_of_several_that_of_the_folder():
    assert Tree(TREE.files[:1], ()).digest == ("sha256", "ab" * 32)
    assert TREE.digest == ("dirHash", dir_hash(TREE.files))


def test_the_digest_of_a_folder_is_what_the_shell_computes(tmp_path):
    files = {"a/x": b"1", "b": b"2"}
    write_tree(tmp_path, files)
    listed = [TreeFile(name, 1, hashlib.sha256(content).hexdigest()) for name, content in files.items()]
    words = "sha256sum a/x b | sha256sum"
    shell = subprocess.run(["sh", "-c", words], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shell.stdout.split()[0] == dir_hash(listed)


def test_a_piece_knows_its_ends():
    start, end = b"s" * 64, b"e" * 64
    assert Piece.of(start + b"1" + end).head == Piece.of(start + b"2").head
    assert Piece.of(start + b"1" + end).tail == Piece.of(b"3" + end).tail


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "", "a//b", "./a", "a/", "a\0b"])
def test_a_name_that_leads_outside_is_refused(name):
    assert not is_inside(name)
    with pytest.raises(IntegrityError):
        read_tree(Tree((TreeFile(name, 0, ""),), ()).to_bytes())


def test_changed_texts_are_refused_or_another_tree():
    for wrong in flips(TREE.to_bytes()):
        with contextlib.suppress(IntegrityError):
            assert read_tree(wrong) != TREE


@pytest.mark.parametrize("text", [b"", b"x\n", b'["gambeson-tree/1"]', b'["gambeson-tree/1"]\n["file"]\n'])
def test_another_text_is_refused(text):
    with pytest.raises(IntegrityError):
        read_tree(text)


def test_sizes_must_agree():
    with pytest.raises(IntegrityError, match="differ in size"):
        read_tree(Tree(TREE.files, ()).to_bytes())
