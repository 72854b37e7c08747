"""Every scanner, unread: hostile bytes neither break it nor make it run on; what it reports is a rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.core.finding import Outcome
from gambeson.supply.content import Content
from gambeson.supply.scan_rules import rules
from gambeson.supply.scanner import Budget, Limits, Visit, scanners
from tests.corpus.benign import benign_files
from tests.corpus.hostile_models import hostile_models
from tests.corpus.hostile_pickles import hostile_pickles

LIMITS = Limits(depth=3, members=50, expanded=1 << 20, large=1 << 18)
EVERY = pytest.mark.parametrize("name", scanners.names())
FILES = [
    data
    for files in (hostile_models, hostile_pickles, benign_files)
    for _, data in files()
    if 0 < len(data) < 4_000
]


def look(name, data):
    """What one scanner says of bytes that it is told are its own; members are not followed."""
    entry = scanners[name]
    found = []
    for kind in entry.facts.formats:
        visit = Visit(Content(data), "f", "f", kind, LIMITS, Budget(50, 1 << 20), lambda one: iter(()))
        found += [(finding, number) for number, finding in zip(range(300), entry.plugin(visit), strict=False)]
    return [finding for finding, _ in found]


@EVERY
@settings(max_examples=60)
@given(
    data=st.binary(max_size=600) | st.sampled_from(FILES), places=st.lists(st.integers(0, 4_000), max_size=3)
)
def test_any_bytes_are_answered_with_findings_by_rule(name, data, places):
    damaged = bytearray(data)
    for place in places:
        if damaged:
            damaged[place % len(damaged)] ^= 0xFF
    try:
        found = look(name, bytes(damaged))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError):
        return  # the scan makes a finding of these
    for finding in found:
        assert finding.check in rules()
        assert finding.outcome is Outcome.FAILED
        assert finding.target.startswith("f")


@EVERY
def test_a_scanner_says_what_it_looks_for(name):
    facts = scanners[name].facts
    assert facts.formats
    assert len(facts.about) > 15


@EVERY
def test_a_scanner_changes_nothing_and_repeats_itself(name):
    for data in FILES[:40]:
        try:
            first = look(name, data)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
            continue
        assert look(name, data) == first
