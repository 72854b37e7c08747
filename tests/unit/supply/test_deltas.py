"""A difference makes the target from its base, is short for alike pieces, and damage is found."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import IntegrityError
from gambeson.supply.deltas import apply, difference

TEXT = st.lists(st.sampled_from([b"a" * 20, b"0123456789abcdefghij", b"x", b"yz" * 9]), max_size=12).map(
    b"".join
)


@given(TEXT, TEXT)
def test_the_target_comes_back(base, target):
    assert apply(base, difference(base, target)) == target


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_come_back(base, target):
    assert apply(base, difference(base, target)) == target


def test_scattered_rows_cost_little_more_than_themselves():
    rng = np.random.default_rng(0)
    rows = [rng.bytes(60) for _ in range(1000)]
    changed = list(rows)
    for place in rng.choice(1000, 10, replace=False):
        changed[place] = rng.bytes(60)
    change = difference(b"".join(rows), b"".join(changed))
    assert 600 < len(change) < 700


def test_the_same_content_is_one_copy():
    content = np.random.default_rng(0).bytes(50_000)
    assert len(difference(content, content)) < 8


@pytest.mark.parametrize("wrong", [b"\x80", b"\x03\xff\x7f", b"\x08ab", b"\x00", b"\xff" * 9])
def test_damaged_instructions_are_refused(wrong):
    with pytest.raises(IntegrityError):
        apply(b"base", wrong)


@given(st.binary(max_size=40))
def test_no_instructions_make_it_fail_in_another_way(instructions):
    with contextlib.suppress(IntegrityError):
        apply(b"some base of a piece", instructions)
