import io

import numpy as np
import pytest

from tests.corpus.look import rules_of, severe
from tests.corpus.opcodes import EVIL


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 2)), np.array(1.0), np.zeros(0), np.array(["ab", "c"]), np.array([b"x"]),
        np.arange("2024", "2026", dtype="M8[Y]"),
        np.zeros(2, [("a", "<f4"), ("b", "i2", (3,))]), np.zeros(2, [("a", [("b", "u1")])]),
        np.asfortranarray(np.eye(2)), np.zeros(3, bool),
        np.zeros(2, "V5"), np.zeros(2, complex),
    ],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_arrays_of_numbers_and_text_pass(array):
    assert rules_of(saved(array), "a.npy") == set()
    assert rules_of(saved(array) + saved(array), "a.npy") == set()


def test_objects_are_noted_and_what_they_import_is_judged():
    assert rules_of(saved(np.array([None, 1], object)), "a.npy") == {"scan.numpy.objects"}
    assert severe(saved(np.array([None, 1], object)), "a.npy") == set()
    assert severe(saved(np.array([pytest.approx], object)), "a.npy") == {"scan.pickle.global"}


@pytest.mark.parametrize(
    "change",
    [(b"<f8", b"<x8"), (b"(3,)", b"(-3)"), (b"'descr'", b"'other'"), (b"{", b"("), (b"(3,)", b"(9,)")],
)
def test_a_header_that_numpy_does_not_write_is_broken(change):
    assert rules_of(saved(np.zeros(3)).replace(*change), "a.npy") == {"scan.numpy.header"}


def test_what_follows_an_array_is_told_and_scanned():
    assert rules_of(saved(np.zeros(3)) + EVIL, "a.npy") == {"scan.file.polyglot", "scan.pickle.dangerous"}


def test_a_header_of_python_2_passes():
    assert rules_of(saved(np.zeros(3)).replace(b"(3,), }", b"(3L,),}"), "a.npy") == set()
