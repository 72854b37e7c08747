import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content, uint


@pytest.fixture
def on_disk(tmp_path):
    opened = []

    def make(data):
        path = tmp_path / str(len(opened))
        path.write_bytes(data)
        opened.append(path.open("rb"))
        return Content(opened[-1].fileno())

    yield make
    for stream in opened:
        stream.close()


def test_a_file_reads_like_memory(on_disk):
    data = bytes(range(256)) * 40
    for content in (Content(data), on_disk(data)):
        assert (content.size, content.head) == (len(data), data[:4096])
        assert content.read(250, 12) == data[250:262]
        assert content.read(len(data) - 3, 99) == data[-3:]
        assert content.read(len(data), 1) == content.read(-4, 2) == b""
        assert content.part(100, 50).part(10, 500).read(0, 99) == data[110:150]
        assert content.find(b"\xff\x00\x01", 300) == data.find(b"\xff\x00\x01", 300)


@given(st.binary(max_size=99), st.binary(min_size=1, max_size=3), st.integers(0, 99))
def test_find_is_that_of_bytes(data, needle, start):
    assert Content(data).find(needle, start) == data.find(needle, start)


def test_find_sees_what_lies_across_two_pieces():
    data = bytes((1 << 20) - 2) + b"abcd"
    assert Content(data).find(b"abcd") == (1 << 20) - 2


@given(st.binary(max_size=30), st.integers(-5, 40), st.integers(-5, 40))
def test_a_part_never_leaves_its_whole(data, offset, length):
    part = Content(b"x" + data + b"x", 1, len(data)).part(offset, length)
    begin = min(max(offset, 0), len(data))
    assert part.read(0, part.size) == data[begin : begin + max(length, 0)]


def test_numbers_are_little_endian():
    assert uint(b"\x01\x02") == 0x201
