import bz2
import gzip
import lzma
import zlib

import pytest

from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL, HARMLESS

WAYS = {
    "gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress, "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_out_is_scanned(way):
    assert rules_of(WAYS[way](EVIL), "m.joblib") == {"scan.pickle.dangerous"}
    assert rules_of(WAYS[way](HARMLESS), "m.joblib") == set()


def test_lz4_is_expanded_too():
    frame = pytest.importorskip("lz4.frame")
    assert rules_of(frame.compress(EVIL), "m.joblib") == {"scan.pickle.dangerous"}


def test_lz4_without_its_package_cannot_be_looked_into(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lz4", None)
    monkeypatch.setitem(__import__("sys").modules, "lz4.frame", None)
    assert rules_of(b"\x04\x22\x4d\x18" + bytes(20), "m.bin") == {"scan.archive.closed"}


def test_every_member_is_expanded_and_padding_is_none():
    data = gzip.compress(HARMLESS) + gzip.compress(EVIL)
    assert rules_of(data, "m.pkl.gz") == {"scan.pickle.dangerous"}
    assert rules_of(gzip.compress(HARMLESS) + bytes(512), "m.pkl.gz") == set()


def test_a_break_and_a_tail_are_findings():
    assert rules_of(gzip.compress(HARMLESS)[:-3], "m.pkl.gz") == {"scan.archive.broken"}
    assert "scan.archive.broken" in rules_of(gzip.compress(HARMLESS) + b"tail", "m.pkl.gz")


def test_two_bytes_by_chance_are_no_compressed_data():
    assert rules_of(b"\x78\x9cnothing of the kind", "noise.bin") == set()
