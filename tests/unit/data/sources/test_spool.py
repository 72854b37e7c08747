"""Arrays in a temporary file without a name."""

from __future__ import annotations

import tracemalloc
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import Unavailable
from gambeson.data.sources import spool
from gambeson.data.sources.spool import Spool, require_memory

Usage = namedtuple("Usage", "total used free")
arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.float32, np.int64]), hnp.array_shapes(max_dims=3, min_side=0)
)


@given(arrays, st.integers(1, 4))
def test_what_was_written_in_pieces_is_the_array(array, size):
    with Spool(array.nbytes) as written:
        for start in range(0, len(array), size):
            written.write(array[start : start + size])
        back = written.array(array.dtype, array.shape)
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


@given(arrays)
def test_columns_first_is_kept(array):
    with Spool() as written:
        written.write(array.tobytes(order="F"))
        back = written.array(array.dtype, array.shape, fortran=True)
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


def test_the_array_is_on_disk_and_read_only():
    tracemalloc.start()
    with Spool() as written:
        for _ in range(64):
            written.write(bytes(1 << 20))
        array = written.array(np.dtype(np.uint8), (64, 1 << 20))
    assert array[63, -1] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert not array.flags.writeable


def test_too_little_room_shows_before_anything_is_written(monkeypatch):
    monkeypatch.setattr(spool.shutil, "disk_usage", lambda folder: Usage(10, 0, 10))
    with pytest.raises(Unavailable, match=r"0.0 GiB are free") as caught:
        Spool(11)
    assert "TMPDIR" in caught.value.remedy


def test_a_full_disk_is_one_clear_error(monkeypatch):
    with Spool() as written, pytest.raises(Unavailable, match="No space left on device"):  # noqa: PT012
        written._file.close()
        written._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
        written.write(bytes(1 << 16))


def test_more_than_half_of_the_memory_is_refused():
    require_memory(1 << 20, "This")
    with pytest.raises(Unavailable, match="These labels would take"):
        require_memory(1 << 60, "These labels")
