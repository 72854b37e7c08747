"""Plain files are listed in one order; nothing else is followed or opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gambeson.core.errors import Refused, UsageError
from gambeson.supply.files import PlainFile, list_files, read_blocks
from tests.trust import write_tree


def test_files_are_sorted_by_the_bytes_of_their_names(tmp_path):
    write_tree(tmp_path, {"b": b"1", "a/é": b"22", "a/z": b"", "a.txt": b"3"})
    assert [(f.name, f.size) for f in list_files(tmp_path)] == [
        ("a.txt", 1),
        ("a/z", 0),
        ("a/é", 2),
        ("b", 1),
    ]


def test_a_file_is_its_own_only_member(tmp_path):
    write_tree(tmp_path, {"m.onnx": b"abc"})
    (file,) = list_files(tmp_path / "m.onnx")
    assert (file.name, b"".join(read_blocks(file))) == ("m.onnx", b"abc")


def test_what_is_ignored_is_left_out_with_all_below(tmp_path):
    write_tree(tmp_path, {".git/a/b": b"1", "x": b"2", "x.git": b"3"})
    assert [f.name for f in list_files(tmp_path, {".git"})] == ["x", "x.git"]


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe", "device"])
def test_links_pipes_and_devices_are_refused(tmp_path, kind):
    write_tree(tmp_path, {"x": b"1", "d/y": b"2"})
    odd = tmp_path / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind != "device":
        odd.symlink_to({"link": "x", "dangling": "nowhere", "folder": "d"}[kind])
    with pytest.raises(Refused, match="neither a plain file nor a folder"):
        list_files(Path("/dev/null") if kind == "device" else tmp_path)


def test_a_file_swapped_for_a_link_after_the_listing_is_not_followed(tmp_path):
    write_tree(tmp_path, {"x": b"1", "secret": b"2"})
    file = next(f for f in list_files(tmp_path) if f.name == "x")
    file.path.unlink()
    file.path.symlink_to("secret")
    with pytest.raises(UsageError):
        list(read_blocks(file))


def test_a_file_that_changes_its_size_is_refused(tmp_path):
    write_tree(tmp_path, {"x": b"12"})
    with pytest.raises(Refused, match="changed while it was read"):
        list(read_blocks(PlainFile("x", tmp_path / "x", 3)))


def test_nothing_and_an_empty_folder_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError):
            list_files(path)


def test_a_name_that_is_no_text_or_has_a_line_break_is_refused(tmp_path):
    (tmp_path / "a\nb").write_bytes(b"1")
    with pytest.raises(Refused, match="line break"):
        list_files(tmp_path)
    (tmp_path / "a\nb").unlink()
    with open(os.fsencode(tmp_path) + b"/\xff", "wb"):
        pass
    with pytest.raises(Refused, match="UTF-8"):
        list_files(tmp_path)
