"""The plain files below a path, in one order: links, devices, pipes and sockets are refused, never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gambeson.core.errors import Refused, UsageError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class PlainFile:
    """One file.

    Attributes:
        name: Path below the root with ``/``; the file's own name where the root is the file.
        path: Where it lies.
        size: Bytes.
    """

    name: str
    path: Path
    size: int


def list_files(root: Path, ignore: Collection[str] = ()) -> tuple[PlainFile, ...]:
    """Every file below a folder, or the file itself, sorted by the bytes of their names.

    Args:
        root: A file or a folder.
        ignore: Names below the root to leave out, with all that is below them.

    Raises:
        UsageError: There is nothing there, or it cannot be read.
        Refused: Something there is neither a file nor a folder, or its name cannot be written as UTF-8.
    """
    try:
        found = tuple(_below(root, "", frozenset(ignore)))
    except OSError as error:
        raise UsageError(
            f"{error.filename or root} cannot be read: {error.strerror}.",
            expected="a file or a folder of files",
        ) from None
    if not found:
        raise UsageError(f"{root} holds no file.", expected="a file, or a folder with at least one")
    return tuple(sorted(found, key=lambda file: file.name.encode()))


def read_blocks(file: PlainFile) -> Iterator[bytes]:
    """The content of a file in blocks; it must still be the plain file of the size that was listed.

    Raises:
        Refused: It was swapped for something else, or changed its size while it was read.
        UsageError: It cannot be read.
    """
    try:
        with _open(file.path) as stream:
            left = file.size
            while block := stream.read(_BLOCK):
                left -= len(block)
                yield block
    except OSError as error:
        raise UsageError(f"{file.path} cannot be read: {error.strerror}.") from None
    if left:
        raise Refused(f"{file.path} changed while it was read.", remedy="try again when nobody writes to it")


def _open(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _refusal(path)
    return os.fdopen(handle, "rb")


def _below(path: Path, name: str, ignore: frozenset[str]) -> Iterator[PlainFile]:
    if name in ignore:
        return
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode):
        for child in sorted(os.listdir(path)):
            yield from _below(path / child, f"{name}/{child}" if name else child, ignore)
    elif stat.S_ISREG(status.st_mode):
        yield PlainFile(_writable(name or path.name, path), path, status.st_size)
    else:
        raise _refusal(path)


def _writable(name: str, path: Path) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"The name of {path!r} is not UTF-8.", remedy="rename the file") from None
    if "\n" in name or "\r" in name:
        raise Refused(f"The name of {str(path)!r} has a line break.", remedy="rename the file")
    return name


def _refusal(path: Path) -> Refused:
    return Refused(
        f"{path} is neither a plain file nor a folder.",
        expected="files and folders; links, devices, pipes and sockets are not followed",
        remedy="copy what a link points to in its place",
    )
