import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content
from gambeson.supply.zip_directory import BrokenZip, expand, find_end, read_directory
from tests.corpus.archives import Part, plain_zip, raw_zip

FILES = {"a.txt": b"abc" * 100, "b/c.bin": bytes(5000), "empty": b""}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_entries_and_their_data_are_those_of_zipfile(method):
    content = Content(plain_zip(FILES, method))
    directory = read_directory(content)
    assert {entry.name: b"".join(expand(content, entry)) for entry in directory.entries} == FILES
    assert [entry.faults for entry in directory.entries] == [()] * 3
    assert (directory.shift, directory.tail) == (0, 0)


def test_an_archive_written_as_a_stream_has_no_faults():
    class Unseekable(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    stream = Unseekable()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", b"abc")
    assert [entry.faults for entry in read_directory(Content(stream.data)).entries] == [()]


def test_large_archives_have_their_64_bit_records_read():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a", "w", force_zip64=True) as stream:
        stream.write(b"abc")
    (entry,) = read_directory(Content(buffer.getvalue())).entries
    assert (entry.name, entry.packed, entry.faults) == ("a", 3, ())


def test_bytes_before_and_behind_are_counted():
    directory = read_directory(Content(raw_zip(Part("a", b"x"), front=b"1234", tail=b"56", comment=b"note")))
    assert (directory.shift, directory.tail, directory.comment) == (4, 2, 4)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (Part("a", b"x", local_name="b"), "name"), (Part("a", b"x", local_method=8), "method"),
        (Part("a", b"x", local_flags=1), "encryption"),
    ],
)  # fmt: skip
def test_headers_that_differ_are_named(part, fault):
    (entry,) = read_directory(Content(raw_zip(part))).entries
    assert [text.split()[0] for text in entry.faults] == [fault]


def test_a_comment_that_looks_like_an_end_does_not_hide_the_archive():
    data = raw_zip(Part("a", b"x"), comment=b"PK\5\6")
    assert [entry.name for entry in read_directory(Content(data)).entries] == ["a"]
    assert find_end(Content(b"PK\5\6")) == -1


@pytest.mark.parametrize(
    "data", [b"", b"PK\5\6", plain_zip(FILES)[:-22], raw_zip(Part("a", b"x")).replace(b"PK\1\2", b"PK\1\3")]
)
def test_what_is_no_archive_is_broken(data):
    with pytest.raises(BrokenZip):
        read_directory(Content(data))


def test_data_that_do_not_expand_are_broken():
    content = Content(raw_zip(Part("a", b"\xff\xff\xff", method=8)))
    with pytest.raises(BrokenZip):
        list(expand(content, read_directory(content).entries[0]))


@given(st.integers(0, 500), st.integers(0, 255))
def test_no_damage_does_anything_but_break(place, byte):
    data = bytearray(plain_zip(FILES))
    data[place % len(data)] = byte
    content = Content(bytes(data))
    try:
        for entry in read_directory(content).entries:
            if entry.method in (0, 8) and entry.data >= 0:
                sum(map(len, expand(content, entry)))
    except BrokenZip:
        pass
