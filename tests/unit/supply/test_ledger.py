"""The ledger: in order, bound together, and any change found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gambeson.core.errors import IntegrityError, Refused
from gambeson.supply.canonical import decode, encode
from gambeson.supply.ledger import SKEW, Ledger
from gambeson.supply.merkle import leaf_hash, root_hash
from tests.memory_store import MemoryRecords
from tests.trust import NOW, flips


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def filled():
    records, clock = MemoryRecords(), Clock()
    ledger = Ledger(records, clock)
    for n in range(4):
        clock.now += timedelta(seconds=1)
        ledger.append("ann", "fact", lambda n=n: {"n": n})
    return records, clock, ledger


def test_records_are_numbered_and_read_by_another(filled):
    records, _, ledger = filled
    again = Ledger(records).entries()
    assert again == ledger.entries()
    assert [(e.number, e.by, e.kind, e.body) for e in again][2] == (2, "ann", "fact", {"n": 2})


def test_the_root_is_over_the_records(filled):
    records, _, ledger = filled
    leaves = [leaf_hash(record) for record, _ in records.rows]
    assert ledger.root() == root_hash(leaves).hex()
    assert ledger.root(2) == root_hash(leaves[:2]).hex()


def test_every_flipped_byte_of_every_record_and_digest_is_found(filled):
    records, _, _ = filled
    for number, (record, digest) in enumerate(records.rows):
        wrong = [(changed, digest) for changed in flips(record)]
        wrong += [(record, changed.decode("latin1")) for changed in flips(digest.encode())]
        for row in wrong:
            other = MemoryRecords()
            other.rows = [*records.rows[:number], row, *records.rows[number + 1 :]]
            with pytest.raises(IntegrityError, match="tampered"):
                Ledger(other).entries()


def test_a_record_rewritten_with_its_digest_breaks_the_chain(filled):
    records, _, _ = filled
    record = records.rows[1][0].replace(b'{"n":1}', b'{"n":7}')
    records.rows[1] = (record, leaf_hash(record).hex())
    with pytest.raises(IntegrityError, match="does not follow"):
        Ledger(records).entries()


def test_a_record_older_than_the_one_before_it_is_found(filled):
    records, _, _ledger = filled
    fields = decode(records.rows[3][0], "a record") | {"time": (NOW - timedelta(days=1)).isoformat()}
    record = encode(fields)
    records.rows[3] = (record, leaf_hash(record).hex())
    with pytest.raises(IntegrityError, match="older than the record before"):
        Ledger(records).entries()


@pytest.mark.parametrize("change", [lambda r: r.pop(1), lambda r: r.insert(1, r[2]), lambda r: r.reverse()])
def test_removed_inserted_and_reordered_records_are_found(filled, change):
    records, _, _ = filled
    change(records.rows)
    with pytest.raises(IntegrityError):
        Ledger(records).entries()


def test_a_clock_that_went_back_is_refused_and_a_small_step_is_not(filled):
    records, clock, ledger = filled
    before = clock.now
    clock.now = before - SKEW
    assert ledger.append("ann", "fact", dict).time == before
    clock.now = before - SKEW - timedelta(seconds=1)
    with pytest.raises(Refused, match="set the clock"):
        ledger.append("ann", "fact", dict)
    assert len(records.rows) == 5


def test_a_faster_writer_is_heard_before_the_decision_is_made_again():
    records = MemoryRecords()
    mine, other = Ledger(records, Clock()), Ledger(records, Clock())
    heard = []

    def rival():
        records.rival = lambda: None
        other.append("bob", "fact", lambda: {"from": "bob"})

    records.rival = rival
    mine.append("ann", "fact", lambda: (heard.append(len(mine.entries())), {"from": "ann"})[1])
    assert heard == [0, 1]
    assert [entry.by for entry in mine.entries()] == ["bob", "ann"]


def test_a_decision_that_is_refused_writes_nothing(filled):
    records, _, ledger = filled

    def no():
        raise Refused("no")

    with pytest.raises(Refused):
        ledger.append("ann", "fact", no)
    assert len(records.rows) == 4
