"""Arrays inside an ``.npz`` archive, memory-mapped one by one; headers are not trusted, nothing is unpickled.

A stored member is mapped where it lies in the archive. A compressed one is unpacked into a temporary file
first, piece by piece. Layout: zip, APPNOTE.TXT 4.3.7 (local file header); npy, numpy.lib.format.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from gambeson.core.errors import GambesonError, IntegrityError, Refused
from gambeson.data.sources.spool import Spool

_CHUNK = 1 << 20
_LOCAL_HEADER = 30
"""Bytes of a local file header before the name; last come the lengths of name and extra field."""

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    length: int


class NpzFile:
    """An ``.npz`` archive.

    Args:
        path: The file.

    Attributes:
        names: Names of its arrays.

    Raises:
        IntegrityError: It is no intact zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as archive:
            members = archive.namelist()
        self.names = tuple(name.removesuffix(".npy") for name in members if name.endswith(".npy"))

    def array(self, name: str) -> np.ndarray:
        """One array, read-only and on disk. The checksum of the whole member has been compared.

        Raises:
            IntegrityError: The member is damaged, or its header contradicts its size.
            Refused: It holds Python objects, which only unpickling could load.
            Unavailable: A compressed member does not fit into the temporary folder.
        """
        with self._opened() as archive:
            member = archive.getinfo(f"{name}.npy")
            with archive.open(member) as stream:
                header = self._header(name, stream, member.file_size)
                if member.compress_type == zipfile.ZIP_STORED:
                    while stream.read(_CHUNK):
                        pass  # reading to the end compares the checksum
                    return self._mapped(member, header)
                return _unpacked(stream, member.file_size - header.length, header)

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except GambesonError:
            raise
        except Exception as error:  # hostile bytes make the zip and npy readers raise nearly anything
            raise IntegrityError(
                f"{self.path} is cut off or damaged: {error}.",
                expected="an intact .npz archive",
                remedy="copy or create the file again",
            ) from None

    def _header(self, name: str, stream: IO[bytes], size: int) -> _Header:
        version = np.lib.format.read_magic(stream)
        if version not in _READERS:
            raise Refused(
                f"The array {name!r} of {self.path} has npy format version {version}.",
                expected="version 1.0 or 2.0, as for arrays of plain numbers",
            )
        shape, fortran, dtype = _READERS[version](stream)
        if dtype.hasobject or dtype.kind not in "biufUS":
            raise Refused(
                f"The array {name!r} of {self.path} holds {dtype} values, which Gambeson never unpickles.",
                expected="an array of numbers, or of texts for labels",
                remedy="store it as numbers: np.savez('data.npz', x=np.asarray(x, np.float32), y=labels)",
            )
        header = _Header(shape, fortran, dtype, stream.tell())
        promised = header.length + math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or promised != size:
            raise IntegrityError(
                f"The array {name!r} of {self.path} claims shape {shape} of {dtype}, {promised:,} bytes, "
                f"but has {size:,}.",
                remedy="create the file again",
            )
        return header

    def _mapped(self, member: zipfile.ZipInfo, header: _Header) -> np.ndarray:
        with self.path.open("rb") as stream:
            stream.seek(member.header_offset)
            name, extra = struct.unpack("<HH", stream.read(_LOCAL_HEADER)[-4:])
        if math.prod(header.shape) == 0:
            return np.empty(header.shape, header.dtype)
        return np.memmap(
            self.path,
            header.dtype,
            mode="r",
            offset=member.header_offset + _LOCAL_HEADER + name + extra + header.length,
            shape=header.shape,
            order="F" if header.fortran else "C",
        )


def _unpacked(stream: IO[bytes], size: int, header: _Header) -> np.ndarray:
    with Spool(size) as spool:
        while piece := stream.read(_CHUNK):
            spool.write(piece)
        return spool.array(header.dtype, header.shape, fortran=header.fortran)
