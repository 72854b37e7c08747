"""What a file holds, by its first bytes."""

from __future__ import annotations

import gzip
import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.data.sources.content import Content, content_of, require_content, sniff


def npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, x=np.zeros(1))
    return out.getvalue()


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(1))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", Content.EMPTY),
        (npz(), Content.ZIP),
        (npy(), Content.NPY),
        (gzip.compress(b"a,b", mtime=0), Content.GZIP),
        (b"PAR1....", Content.PARQUET),
        (b"a,b\n1,2\n", Content.TEXT),
        ("größe,b\n".encode(), Content.TEXT),
        (b"\0\1\2", Content.BINARY),
        *((pickle.dumps([1], protocol), Content.PICKLE) for protocol in range(2, 6)),
    ],
)
def test_the_first_bytes_name_the_content(data, content):
    assert sniff(data) is content


@given(st.binary(max_size=200))
def test_any_bytes_have_a_content(data):
    assert isinstance(sniff(data), Content)


def test_other_content_than_the_name_promises_is_an_error_with_a_fix(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(IntegrityError, match=r"holds text\.") as caught:
        require_content(path, Content.ZIP)
    assert ".csv" in caught.value.remedy
    require_content(path, Content.TEXT)


def test_a_pickle_is_refused_whatever_was_expected(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(pickle.dumps(np.zeros(3)))
    for content in Content:
        with pytest.raises(Refused, match=r"a Python pickle.*\n.*\nFix: store the arrays with np.savez"):
            require_content(path, content)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.npz does not exist"):
        content_of(tmp_path / "nothing.npz")


def test_a_folder_cannot_be_read_as_a_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        content_of(tmp_path)
