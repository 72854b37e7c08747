import os

import pytest

from gambeson.core.errors import UsageError
from gambeson.supply.walking import walk


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    (root / "b" / "c").mkdir(parents=True)
    for name in ("z", "b/y", "b/c/x", "a"):
        (root / name).write_text(name)
    (tmp_path / "secret").write_text("s")
    return root


def names(found, root):
    return [os.path.relpath(item.path, root) for item in found]


def test_every_file_comes_once_and_in_order(folder):
    found = list(walk([folder]))
    assert names(found, folder) == ["a", "z", "b/y", "b/c/x"]
    assert [item.skipped for item in found] == [""] * 4


def test_links_are_not_followed_and_say_where_they_lead(folder, tmp_path):
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "in").symlink_to(folder / "a")
    (folder / "loop").symlink_to(folder)
    skipped = {os.path.basename(item.path): item.skipped for item in walk([folder]) if item.skipped}
    assert "leads out" in skipped["out"]
    assert "within" in skipped["in"]
    assert "within" in skipped["loop"]


def test_a_link_that_is_named_is_followed(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder / "a")
    assert [item.path for item in walk([link])] == [str(folder / "a")]


def test_a_fifo_is_left_out_with_its_reason(folder):
    os.mkfifo(folder / "pipe")
    assert [item.skipped for item in walk([folder]) if item.skipped] == ["it is a FIFO, not a file"]
    assert [item.skipped for item in walk([folder / "pipe"])] == ["it is a FIFO, not a file"]
    assert "device" in next(walk(["/dev/null"])).skipped


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        list(walk([tmp_path / "nothing"]))
