"""Zip and tar archives made by hand, with the faults that libraries do not write."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """An entry as the directory tells it and, where that differs, as the local header does."""

    name: str
    data: bytes
    local_name: str | None = None
    method: int = 0
    local_method: int | None = None
    flags: int = 0
    local_flags: int | None = None
    crc: int | None = None
    mode: int = 0
    gap: bytes = b""
    size: int | None = None


def raw_zip(
    *parts: Part, overlap: bool = False, front: bytes = b"", tail: bytes = b"", comment: bytes = b""
) -> bytes:
    """An archive of stored entries."""
    body, directory, places = b"", b"", []
    for part in parts:
        body += part.gap
        places.append(0 if overlap else len(body))
        crc = zlib.crc32(part.data) if part.crc is None else part.crc
        size = len(part.data) if part.size is None else part.size
        name, local = part.name.encode(), (part.local_name or part.name).encode()
        method = part.method if part.local_method is None else part.local_method
        flags = part.flags if part.local_flags is None else part.local_flags
        body += struct.pack(
            "<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 0, crc, len(part.data), size, len(local), 0
        )
        body += local + part.data
        directory += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 0x0314, 20, part.flags, part.method, 0, 0, crc, len(part.data), size,
            len(name), 0, 0, 0, 0, part.mode << 16, places[-1],
        ) + name  # fmt: skip
    end = struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, len(parts), len(parts), len(directory), len(body), len(comment)
    )
    return front + body + directory + end + comment + tail


def plain_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive as Python writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def plain_tar(
    files: dict[str, bytes], *, mode: str = "w", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> bytes:
    """An archive as Python writes it; every entry is of one kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def torch_like(pickle: bytes, **more: bytes) -> bytes:
    """The layout of torch.save, with a pickle of one's own."""
    files = {"archive/data.pkl": pickle, "archive/byteorder": b"little", "archive/data/0": bytes(16)}
    files |= {"archive/version": b"3\n", **{f"archive/{name}": data for name, data in more.items()}}
    return plain_zip(files, zipfile.ZIP_STORED)
