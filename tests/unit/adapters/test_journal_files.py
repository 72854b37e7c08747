from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.adapters.journal_files import FileJournal


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = {"a": np.arange(3), "b": np.array(2.5), "c": np.zeros((0, 4), np.float32)}
    FileJournal(tmp_path).save("one/two", arrays)
    back = FileJournal(tmp_path).load("one/two")
    assert back is not None
    assert all(np.array_equal(back[k], v) and back[k].dtype == v.dtype for k, v in arrays.items())


@given(key=st.text(min_size=1, max_size=60))
def test_no_key_leads_out_of_the_folder(key, tmp_path_factory):
    root = tmp_path_factory.mktemp("j")
    assert FileJournal(root)._path(key).resolve().parent == root.resolve()


def test_keys_that_differ_only_in_signs_do_not_collide(tmp_path):
    journal = FileJournal(tmp_path)
    journal.save("a b", {"x": np.array(1)})
    journal.save("a/b", {"x": np.array(2)})
    assert int(journal.load("a b")["x"]) == 1


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut off", b"\x80\x04."])
def test_a_damaged_file_counts_as_absent(tmp_path, damage):
    journal = FileJournal(tmp_path)
    journal.save("k", {"x": np.array(1)})
    journal._path("k").write_bytes(damage)
    assert journal.load("k") is None


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    journal = FileJournal(tmp_path)
    journal.save("k", {"x": np.array(1)})

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        journal.save("k", {"x": np.array(2)})
    assert int(journal.load("k")["x"]) == 1
    assert len(list(tmp_path.iterdir())) == 1
