"""Encoded pictures end to end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import GambesonError, IntegrityError, Refused, UsageError
from gambeson.data.sources.encoded_pictures import EncodedRows
from gambeson.data.sources.options import DataOptions
from tests.unit.data.sources.picture_files import noise, picture


def rows_of(files: list[bytes], options: DataOptions = DataOptions()) -> EncodedRows:  # noqa: B008
    data = np.frombuffer(b"".join(files), np.uint8)
    offsets = np.cumsum([0, *map(len, files)], dtype=np.uint32)
    return EncodedRows.of("data.npz", data, offsets, options)


FILES = [picture(noise(seed)) for seed in range(5)]


@given(st.lists(st.integers(0, 4), max_size=8))
def test_any_rows_are_decoded_in_the_order_asked_for(rows):
    x = rows_of(FILES)(np.array(rows, np.int64))
    expected = np.array([noise(row).transpose(2, 0, 1) for row in rows]).reshape(-1, 3, 6, 5)
    assert np.allclose(x, expected / 255, rtol=1e-7, atol=0)


def test_unscaled_pictures_keep_their_bytes():
    rows = rows_of([picture(noise(0, (4, 4)))], DataOptions(scale=False))
    assert rows.shape == (1, 4, 4)
    assert np.array_equal(rows(np.array([0]))[0, 0], noise(0, (4, 4)))


def test_a_damaged_picture_is_named_by_its_row():
    with pytest.raises(IntegrityError, match=r"Picture 1 of data\.npz is cut off"):
        rows_of([FILES[0], FILES[1][:-20], FILES[2]])


def test_a_picture_of_another_size_is_named_by_its_row():
    with pytest.raises(UsageError, match=r"Picture 2 of data\.npz is 3×3 RGB"):
        rows_of([*FILES[:2], picture(noise(0, (3, 3, 3)))])


def test_a_picture_that_is_too_large_is_refused():
    with pytest.raises(Refused, match="Picture 0"):
        rows_of(FILES, DataOptions(max_pixels=29))


@pytest.mark.parametrize(
    "offsets", [[0], [1, 10], [0, 5], [0, 10, 5, 12], [0, 6, 6, 12], [0, -1, 12], [0, 99]]
)
def test_offsets_that_do_not_fit_are_errors(offsets):
    with pytest.raises(IntegrityError, match=r"offsets of data.npz do not fit"):
        EncodedRows.of("data.npz", np.zeros(12, np.uint8), np.array(offsets), DataOptions())


@pytest.mark.parametrize(
    ("data", "offsets"),
    [
        (np.zeros(3), np.array([0, 3])),
        (np.zeros(3, np.uint8), np.array([0.0, 3.0])),
        (np.zeros((3, 1), np.uint8), np.array([0, 3])),
    ],
)
def test_other_arrays_are_errors(data, offsets):
    with pytest.raises(UsageError, match="holds bytes of type"):
        EncodedRows.of("data.npz", data, offsets, DataOptions())


@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_give_one_of_our_errors(data, inner):
    offsets = np.array([0, *inner, len(data)])
    with pytest.raises(GambesonError):
        EncodedRows.of("data.npz", np.frombuffer(data, np.uint8), offsets, DataOptions())
