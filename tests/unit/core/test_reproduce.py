"""Digests, and the seed tree."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.reproduce import Seed, digest_bytes, digest_file, digest_value

names = st.lists(st.text(max_size=8), max_size=4).map(tuple)


@given(st.lists(st.binary(max_size=50), max_size=6))
def test_a_digest_does_not_depend_on_the_chunks(chunks):
    assert digest_bytes(chunks) == "sha256:" + hashlib.sha256(b"".join(chunks)).hexdigest()


def test_the_digest_of_abc_is_the_published_one():
    # FIPS 180-4, example for SHA-256
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_bytes([b"abc"]) == f"sha256:{expected}"


def test_the_digest_of_a_file_longer_than_a_chunk_is_that_of_its_bytes(tmp_path):
    content = np.random.default_rng(0).bytes((1 << 20) + 17)
    (tmp_path / "file").write_bytes(content)
    assert digest_file(tmp_path / "file") == digest_bytes([content])


def test_the_digest_of_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(OSError, match=r"no such|No such"):
        digest_file(tmp_path / "nothing")


def test_the_digest_of_a_value_does_not_depend_on_the_order_of_its_keys():
    assert digest_value({"a": 1, "b": [2]}) == digest_value({"b": [2], "a": 1})
    assert digest_value({"a": 1}) != digest_value({"a": 2})


@given(st.integers(0, 2**70), names)
def test_same_seed_and_path_same_stream(value, path):
    first, second = (Seed(value).child(*path).generator().random(4) for _ in range(2))
    assert np.array_equal(first, second)


@given(names, names)
def test_other_path_other_stream(one, other):
    same = Seed(3).child(*one).integer() == Seed(3).child(*other).integer()
    assert same == (one == other)


def test_children_of_children_are_the_child_by_the_whole_path():
    assert Seed(1).child("a").child("b") == Seed(1).child("a", "b")


def test_names_are_not_glued_together():
    assert Seed(1).child("ab").integer() != Seed(1).child("a", "b").integer()


@given(st.integers(0, 2**40))
def test_an_integer_fits_into_63_bits(value):
    assert 0 <= Seed(value).integer() < 2**63


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=30), st.integers(1, 30))
def test_the_key_of_a_sample_does_not_depend_on_its_batch(indices, size):
    seed = Seed(5, ("attack",))
    rows = np.array(indices)
    parts = [seed.keys(rows[start : start + size]) for start in range(0, len(rows), size)]
    assert np.array_equal(np.concatenate(parts), seed.keys(rows))


def test_keys_of_many_samples_are_distinct_and_use_all_bits():
    keys = Seed(0).keys(np.arange(20_000))
    assert keys.dtype == np.int64
    assert len(np.unique(keys)) == 20_000
    bits = np.unpackbits(keys.view(np.uint8)).reshape(-1, 64).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 0.02  # standard error 0.0035


def test_keys_differ_between_seeds():
    rows = np.arange(100)
    assert not (Seed(0).keys(rows) == Seed(1).keys(rows)).any()
