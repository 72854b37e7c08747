import stat
import zipfile

import pytest

from tests.corpus.archives import Part, plain_zip, raw_zip, torch_like
from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL, HARMLESS


def test_a_plain_archive_passes_whatever_the_method():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert rules_of(plain_zip({"a/b.txt": b"text", "c.csv": b"1,2\n"}, method), "a.zip") == set()
        assert rules_of(plain_zip({"a.pkl": EVIL}, method), "a.zip") == {"scan.pickle.dangerous"}


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (Part("a", b"x", local_name="b"), "scan.zip.mismatch"), (Part("a", b"x", crc=7), "scan.zip.checksum"),
        (Part("../a", b"x"), "scan.archive.path"), (Part("a", b"x", mode=stat.S_IFLNK), "scan.archive.special"),
        (Part("a", b"x", flags=1), "scan.archive.closed"), (Part("a", b"x", method=97), "scan.archive.closed"),
        (Part("a", b"x", gap=b"hidden"), "scan.zip.hidden"), (Part("a", b"\xff", method=8), "scan.archive.broken"),
        (Part("a", b"x", size=2), "scan.zip.mismatch"),
    ],
)  # fmt: skip
def test_each_trick_has_its_rule(part, rule):
    assert rule in rules_of(raw_zip(part), "a.zip")


def test_padding_of_zeros_is_no_hiding():
    assert rules_of(raw_zip(Part("a", b"x"), Part("b", b"x", gap=bytes(64))), "a.zip") == set()


def test_names_twice_and_places_twice():
    assert rules_of(raw_zip(Part("a", b"x"), Part("a", b"x")), "a.zip") == {"scan.zip.overlap"}
    assert "scan.zip.overlap" in rules_of(raw_zip(Part("a", b"x"), Part("b", b"x"), overlap=True), "a.zip")


def test_foreign_bytes_around_it_are_told_and_scanned():
    assert rules_of(raw_zip(Part("a", b"x"), tail=EVIL), "a.zip") == {
        "scan.file.polyglot",
        "scan.pickle.dangerous",
    }
    front = rules_of(raw_zip(Part("a", b"x"), front=EVIL), "a.bin")
    assert {"scan.file.polyglot", "scan.pickle.dangerous"} <= front


def test_storages_of_torch_are_data_unless_they_are_pickles():
    assert rules_of(torch_like(HARMLESS, **{"data/1": b"\x80\x02" + bytes(range(200))}), "m.pt") == set()
    assert rules_of(torch_like(HARMLESS, **{"data/1": EVIL}), "m.pt") == {"scan.pickle.dangerous"}
