"""Pieces, whole and as differences: read back, short, and any flipped byte found."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from gambeson.core.errors import IntegrityError
from gambeson.supply.pieces import bases_of, frame, load_piece
from tests.memory_store import MemoryObjects
from tests.trust import flips

BASE = np.random.default_rng(0).bytes(600)
LIKE = BASE[:300] + b"changed" + BASE[300:]
MORE = LIKE[:100] + b"again" + LIKE[100:]


def name(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def objects():
    objects = MemoryObjects()
    objects.save([(name(BASE), frame(BASE, objects))])
    objects.save([(name(LIKE), frame(LIKE, objects, [name(BASE)]))])
    objects.save([(name(MORE), frame(MORE, objects, [name(LIKE)]))])
    return objects


def test_pieces_come_back(objects):
    for content in (BASE, LIKE, MORE):
        assert load_piece(name(content), objects) == content


def test_a_difference_is_short_and_never_rests_on_another(objects):
    assert len(objects.pieces[name(MORE)]) < 100
    assert [bases_of(name(c), objects) for c in (BASE, LIKE, MORE)] == [[], [name(BASE)], [name(BASE)]]


def test_a_piece_of_two_others_is_a_difference_from_both(objects):
    other = np.random.default_rng(2).bytes(600)
    objects.save([(name(other), frame(other, objects))])
    both = BASE + other
    objects.save([(name(both), frame(both, objects, [name(BASE), name(other)]))])
    assert bases_of(name(both), objects) == [name(BASE), name(other)]
    assert load_piece(name(both), objects) == both


def test_what_has_no_like_is_kept_whole(objects):
    other = np.random.default_rng(1).bytes(600)
    for likes in ([name(BASE)], ["0" * 64], []):
        assert other in frame(other, objects, likes)


def test_every_flipped_byte_is_found(objects):
    for content in (BASE, LIKE):
        kept = dict(objects.pieces)
        for wrong in flips(kept[name(content)]):
            objects.pieces[name(content)] = wrong
            with pytest.raises(IntegrityError, match="was changed"):
                load_piece(name(content), objects)
        objects.pieces = kept


def test_a_flipped_byte_of_the_base_is_found_too(objects):
    stored = objects.pieces[name(BASE)]
    objects.pieces[name(BASE)] = stored[:-1] + bytes([stored[-1] ^ 1])
    with pytest.raises(IntegrityError):
        load_piece(name(LIKE), objects)


def test_content_under_another_name_is_refused(objects):
    objects.pieces[name(BASE)] = frame(b"other", objects)
    with pytest.raises(IntegrityError):
        load_piece(name(BASE), objects)


@pytest.mark.parametrize("stored", [b"", b"\x00", b"\x01" * 20, b"\x07" + bytes(40)])
def test_short_and_foreign_bytes_are_refused(objects, stored):
    objects.pieces["a" * 64] = stored
    with pytest.raises(IntegrityError):
        load_piece("a" * 64, objects)
