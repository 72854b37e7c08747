import struct

import pytest

from gambeson.supply.content import Content
from gambeson.supply.hdf5_objects import reaches_outside
from tests.corpus.kept import kept_models, outside_hdf5

OUTSIDE, PLAIN = dict(outside_hdf5()), {name: data for name, data in kept_models() if name.endswith(".h5")}


def said(data):
    return [words for _, words in reaches_outside(Content(data))]


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_way_out_of_a_file_is_found(name):
    wanted = {"extdata": "data in '/etc/passwd'", "vds": "data that are put together from other files"}
    kind = name.removesuffix(".h5").rpartition("_")[2]
    link = (
        "a link to '/etc/passwd'"
        if "etc" not in kind and kind in ("extlink", "manyext")
        else "a link to 'other.h5'"
    )
    assert said(OUTSIDE[name]) == [wanted.get(kind, link)]


def test_files_without_such_a_way_pass():
    assert len(PLAIN) > 8
    assert [name for name, data in PLAIN.items() if said(data)] == []


def test_the_places_are_those_of_the_file():
    data = OUTSIDE["kept/latest_extlink.h5"]
    [(place, _)] = reaches_outside(Content(data))
    assert b"/etc/passwd" in data[place : place + 40]


def test_addresses_of_another_size_are_said():
    data = bytearray(PLAIN["kept/lstm.h5"])
    data[13] = 4
    assert said(bytes(data)) == ["addresses of a size that is not read here"]


def test_signatures_in_raw_data_are_no_objects():
    noise = b"".join(word + bytes(range(60)) for word in (b"OHDR\2", b"SNOD\1\0", b"FHDB\0")) * 50
    assert said(PLAIN["kept/lstm.h5"] + noise) == []


def test_a_header_that_continues_in_itself_ends():
    block = struct.pack("<BHB", 16, 16, 0) + struct.pack("<QQ", 96, 40)
    header = b"OHDR\2\0" + bytes([len(block)]) + block
    superblock = b"\x89HDF\r\n\x1a\n\2\x08\x08\0" + struct.pack("<4Q", 0, 2**64 - 1, 200, 96) + bytes(4)
    assert said(superblock.ljust(96, b"\0") + header + bytes(100)) == []
