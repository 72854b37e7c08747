"""Cuts follow the content: the same wherever it lies and however it arrives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.supply.chunking import _GEAR, _WINDOW, LARGEST, SMALLEST, _candidates, cut


def noise(size, seed=0):
    return np.random.default_rng(seed).bytes(size)


@given(st.binary(max_size=300))
@settings(max_examples=20)
def test_the_pieces_are_the_content(content):
    assert b"".join(cut([content[:7], content[7:]])) == content


def test_pieces_keep_their_sizes():
    sizes = [len(piece) for piece in cut([noise(12 << 20)])]
    assert min(sizes[:-1]) >= SMALLEST
    assert max(sizes) <= LARGEST
    assert 30 << 10 < np.mean(sizes) < 70 << 10


def test_the_division_into_blocks_changes_nothing():
    content = noise(9 << 20)
    whole = list(cut([content]))
    assert list(cut(content[i : i + 99_991] for i in range(0, len(content), 99_991))) == whole


def test_the_hash_is_that_of_the_last_32_bytes():
    content = noise(200_000, seed=1)
    gear = [int(g) for g in _GEAR]
    for end in _candidates(np.frombuffer(content, np.uint8)):
        if end >= _WINDOW:
            state = 0
            for byte in content[end - _WINDOW : end]:
                state = (state << 1) + gear[byte] & 0xFFFFFFFF
            assert state >> 17 == 0


def test_an_insertion_leaves_the_pieces_behind_it_alone():
    content = noise(4 << 20)
    before = set(cut([content]))
    after = list(cut([content[:1_000_000] + b"new bytes" + content[1_000_000:]]))
    assert len([piece for piece in after if piece not in before]) <= 3


@pytest.mark.parametrize("content", [b"", b"a", bytes(1 << 20), b"ab" * 300_000])
def test_dull_content_is_cut_at_the_largest_size(content):
    pieces = list(cut([content]))
    assert b"".join(pieces) == content
    assert all(len(piece) == LARGEST for piece in pieces[:-1])
