"""The whole corpus: nothing hostile is missed, nothing harmless is alarming; and the scan as a whole."""

import hashlib
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.core.errors import UsageError
from gambeson.core.finding import Outcome, Severity
from gambeson.supply.scanner import Limits, ScannerFacts, scanners
from gambeson.supply.scanning import _table, hasher, scan_bytes, scan_file
from tests.corpus.archives import plain_zip, torch_like
from tests.corpus.benign import benign_files
from tests.corpus.benign_frameworks import framework_files
from tests.corpus.hostile_archives import hostile_archives
from tests.corpus.hostile_models import hostile_models, safetensors
from tests.corpus.hostile_pickles import hostile_pickles
from tests.corpus.look import rules_of, severe
from tests.corpus.opcodes import EVIL, HARMLESS


@pytest.mark.parametrize("files", [hostile_pickles, hostile_archives, hostile_models])
def test_nothing_hostile_is_missed(files):
    assert [name for name, data in files() if not severe(data, name)] == []


@pytest.mark.parametrize("files", [benign_files, framework_files])
def test_nothing_harmless_is_alarming(files):
    assert [(name, severe(data, name)) for name, data in files() if severe(data, name)] == []


def test_a_bomb_is_scanned_in_little_memory():
    bombs = [(name, data) for name, data in hostile_archives() if "bomb" in name]
    scan_bytes(*reversed(bombs[0]))
    tracemalloc.start()
    for name, data in bombs:
        scan_bytes(data, name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bombs) == 2
    assert peak < 64 << 20


def test_the_scanner_itself_fails_on_nothing_hostile():
    both = [*hostile_pickles(), *hostile_models()]
    assert [name for name, data in both if "scan.scanner.failed" in rules_of(data, name)] == []


def test_the_corpus_is_as_large_as_promised():
    hostile = [name for files in (hostile_pickles, hostile_models) for name, _ in files()]
    assert len(set(hostile)) == len(hostile) >= 200
    assert len({name for name, _ in benign_files()}) >= 100


SEEDS = [
    data
    for files in (hostile_pickles, hostile_models, benign_files)
    for _, data in files()
    if 0 < len(data) < 5_000
]


@settings(max_examples=300)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=6),
    st.integers(0, 5_000),
)
def test_no_damage_to_any_file_breaks_the_scan(data, changes, cut):
    damaged = bytearray(data)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    assert "scan.scanner.failed" not in rules_of(bytes(damaged[: cut or None]))


@given(
    st.binary(max_size=3_000), st.sampled_from(["x.pkl", "x.pt", "x.onnx", "x.npy", "x.gguf", "x.tar", "x"])
)
def test_no_bytes_break_the_scan(data, name):
    assert "scan.scanner.failed" not in rules_of(data, name)


def test_a_scanner_that_breaks_is_a_finding(monkeypatch):
    def broken(visit):
        yield visit.hit("scan.file.type", "before")
        raise IndexError("out of range")

    scanners.register("planted", ScannerFacts((), "fails", magic=(b"PLANTED",)))(broken)
    _table.cache_clear()
    try:
        assert rules_of(b"PLANTED\xff") == {"scan.file.type", "scan.scanner.failed"}
    finally:
        scanners.unregister("planted")
        _table.cache_clear()


def test_a_file_has_its_digest_size_and_format(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors({}, b""))
    result = scan_file(path)
    assert result.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert (result.size, result.format, result.outcome) == (10, "a safetensors file", Outcome.PASSED)


def test_a_large_file_is_read_in_pieces_with_the_same_result(tmp_path, monkeypatch):
    data = torch_like(HARMLESS + EVIL)
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    small = scan_file(path)
    monkeypatch.setattr("gambeson.supply.scanning._IN_MEMORY", 100)
    assert scan_file(path) == small
    assert small.worst is Severity.CRITICAL


def test_outcomes_without_findings(tmp_path):
    (tmp_path / "noise").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "code.py").write_text("import os")
    (tmp_path / "link").symlink_to(tmp_path / "noise")
    os.mkfifo(tmp_path / "pipe")
    assert (scan_file(tmp_path / "noise").outcome, scan_file(tmp_path / "code.py").outcome) == (
        Outcome.NOT_ASSESSED,
    ) * 2
    assert "source code" in scan_file(tmp_path / "code.py").reason
    assert scan_file(tmp_path / "link").outcome is Outcome.ERRORED
    assert scan_file(tmp_path / "pipe").reason == "it is no regular file"
    assert scan_file(tmp_path / "none").outcome is Outcome.ERRORED


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(torch_like(HARMLESS))
    monkeypatch.setattr("gambeson.supply.scanning._IN_MEMORY", 100)
    monkeypatch.setattr("gambeson.supply.scanning._digest", lambda *_: path.write_bytes(b"x" * 500) and "0")
    assert "changed" in scan_file(path).reason


def test_limits_hold():
    data = plain_zip({f"{n}.txt": b"x" for n in range(5)})
    assert {f.check for f in scan_bytes(data, "a.zip", limits=Limits(members=3))} == {"scan.archive.bomb"}
    assert len(scan_bytes(plain_zip({f"{n}.pkl": EVIL for n in range(999)}), "a.zip")) == 200


def test_digests(tmp_path):
    pytest.importorskip("blake3")
    (tmp_path / "a").write_bytes(b"abc")
    # the test vector of the BLAKE3 paper's authors for "abc"
    assert scan_file(tmp_path / "a", digest="blake3").digest == (
        "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    )
    with pytest.raises(UsageError, match="sha256 or blake3"):
        hasher("md5")
