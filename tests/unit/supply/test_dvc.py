"""The files of DVC, against bytes that DVC 3.67.1 wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import IntegrityError
from gambeson.supply.dvc import Tracked, check_tracked, read_tracking, tracking_of
from tests.trust import write_tree

# dvc add t.csv pics, with the files below
FILE = b"outs:\n- md5: f69f5b72bc79a92dc70c63c9aa142e36\n  size: 4\n  hash: md5\n  path: t.csv\n"
FOLDER = (
    b"outs:\n- md5: 56c132d731296eb53bc3378d04f8a38a.dir\n  size: 6\n  nfiles: 3\n  hash: md5\n  path: pics\n"
)


@pytest.fixture
def place(tmp_path):
    files = {"t.csv": b"a,b\n", "pics/z.txt": b"1\n", "pics/sub/a.txt": b"2\n", "pics/b.txt": b"3\n"}
    return write_tree(tmp_path, files)


@pytest.mark.parametrize(("name", "theirs"), [("t.csv", FILE), ("pics", FOLDER)])
def test_ours_are_the_bytes_that_dvc_writes(place, name, theirs):
    assert tracking_of(place / name) == theirs
    check_tracked(read_tracking(theirs), place / name)


def test_changed_data_are_refused(place):
    (place / "pics" / "b.txt").write_bytes(b"4\n")
    with pytest.raises(IntegrityError, match="was changed since DVC tracked it"):
        check_tracked(read_tracking(FOLDER), place / "pics")


def test_other_keys_are_left_alone():
    assert read_tracking(b"md5: x\nouts:\n- md5: " + b"a" * 32 + b"\n  path: 'x.csv'\nmeta: {}\n") == Tracked(
        "x.csv", "a" * 32
    )


@pytest.mark.parametrize(
    "text",
    [
        b"", b"outs:\n", b"\xff", FILE.replace(b"t.csv", b"../t.csv"), FILE.replace(b"t.csv", b"/etc/passwd"),
        FILE.replace(b"f69f", b"xxxx"), FILE + FOLDER.removeprefix(b"outs:\n"),
    ],
)  # fmt: skip
def test_what_leads_elsewhere_or_is_no_such_file_is_refused(text):
    with pytest.raises(IntegrityError):
        read_tracking(text)


@given(st.binary(max_size=80))
def test_no_bytes_make_it_fail_in_another_way(content):
    try:
        read_tracking(b"outs:\n" + content)
    except IntegrityError:
        return
