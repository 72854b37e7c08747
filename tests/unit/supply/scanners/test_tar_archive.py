import io
import tarfile

import pytest

from gambeson.supply.content import Content
from gambeson.supply.scanners.tar_archive import read_members
from tests.corpus.archives import plain_tar
from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL

FILES = {"a.txt": b"abc", "d/" * 80 + "long.txt": b"x" * 600, "ü.txt": b""}


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_tarfile(layout):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    content = Content(buffer.getvalue())
    assert {m.name: content.read(m.data, m.size) for m in read_members(content)} == FILES
    assert rules_of(buffer.getvalue(), "a.tar") == set()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_found(kind):
    assert rules_of(plain_tar({"a": b""}, kind=kind, link="b"), "a.tar") == {"scan.archive.special"}


def test_paths_contents_and_tails():
    assert rules_of(plain_tar({"../a": b"x"}), "a.tar") == {"scan.archive.path"}
    assert rules_of(plain_tar({"a.pkl": EVIL}), "a.tar") == {"scan.pickle.dangerous"}
    assert rules_of(plain_tar({"a": b"x"}) + b"tail", "a.tar") == {"scan.archive.broken"}
    assert rules_of(plain_tar({"a": b"x" * 2000})[:1500], "a.tar") == {"scan.archive.broken"}
