"""Arrays inside archives, honest and hostile."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import GambesonError, IntegrityError, Refused, Unavailable
from gambeson.data.sources.npy_members import NpzFile

arrays = hnp.arrays(
    st.sampled_from([np.uint8, ">f4", np.float64, np.int64, bool, "U3", "S2"]),
    hnp.array_shapes(max_dims=3, min_side=0, max_side=5),
)


def write(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> NpzFile:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return NpzFile(path)


def npy(shape: str, descr: str = "'<f4'", data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data


@given(arrays, st.booleans(), st.booleans())
def test_an_array_comes_back_as_it_was_written(tmp_path_factory, array, compressed, columns_first):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    array = np.asfortranarray(array) if columns_first else array
    (np.savez_compressed if compressed else np.savez)(path, first=np.arange(3), a=array)
    back = NpzFile(path).array("a")
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


def test_names_are_those_of_the_arrays(tmp_path):
    assert write(tmp_path / "a.npz", {"x.npy": b"", "notes.txt": b"", "y.npy": b""}).names == ("x", "y")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_on_disk_takes_no_memory(tmp_path, save):
    save(tmp_path / "big.npz", x=np.zeros((1 << 23), np.float32))
    tracemalloc.start()
    array = NpzFile(tmp_path / "big.npz").array("x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert array.nbytes == 1 << 25
    assert peak < 1 << 23


@pytest.mark.parametrize(
    "hostile",
    [
        npy("(1000000000000,)"),
        npy("(-1,)", data=b"\0\0\0\0"),
        npy("(2,)", data=b"\0\0\0\0"),
        npy("(1,)", data=b"\0" * 12),
        npy("(0, -4)"),
        npy("('a',)"),
        npy("[1]"),
        npy("__import__('os').getcwd()"),
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"no array at all",
        b"",
    ],
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_lies_is_an_error(tmp_path, hostile, compression):
    archive = write(tmp_path / "a.npz", {"x.npy": hostile}, compression)
    with pytest.raises(IntegrityError):
        archive.array("x")


def test_python_objects_are_refused_with_what_to_do(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}, None], object))
    with pytest.raises(Refused, match=r"never unpickles(.|\n)*np\.asarray\(x, np\.float32\)"):
        NpzFile(tmp_path / "a.npz").array("x")


@pytest.mark.parametrize(
    "member",
    [npy("(1,)", "[('a', '<f4')]", b"\0" * 4), npy("(1,)", "'<M8[s]'", b"\0" * 8), npy("()", "'|V4'")],
)
def test_structures_and_times_are_refused(tmp_path, member):
    archive = write(tmp_path / "a.npz", {"x.npy": member})
    with pytest.raises(Refused):
        archive.array("x")


def test_an_unknown_version_is_refused(tmp_path):
    archive = write(tmp_path / "a.npz", {"x.npy": npy("(1,)", version=b"\x03\x00")})
    with pytest.raises(Refused, match="npy format version"):
        archive.array("x")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1 << 20, np.uint8))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1 << 19}))
    with pytest.raises(Unavailable, match="temporary folder"):
        NpzFile(tmp_path / "a.npz").array("x")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_a_truncated_archive_is_an_error(tmp_path, save, cut):
    path = tmp_path / "a.npz"
    save(path, x=np.random.default_rng(0).random(1000))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(IntegrityError, match="cut off or damaged"):
        NpzFile(path).array("x")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_changed_byte_is_an_error(tmp_path, save):
    path = tmp_path / "a.npz"
    save(path, x=np.random.default_rng(0).random(1000))
    data = bytearray(path.read_bytes())
    data[4000] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        NpzFile(path).array("x")


@given(st.data())
def test_any_damage_is_one_of_our_errors(tmp_path_factory, data):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.arange(6.0))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    path.write_bytes(content)
    with contextlib.suppress(GambesonError):
        archive = NpzFile(path)
        assert all(isinstance(archive.array(name), np.ndarray) for name in archive.names)
