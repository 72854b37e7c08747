"""A tree: the files of one version and the pieces that their content is cut into, as one text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from gambeson.core.errors import IntegrityError
from gambeson.supply.canonical import encode, parse

FORMAT = "gambeson-tree/1"
_EDGE = 64


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file: its name with ``/`` below the root, bytes, and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the content of all files, one after the other.

    Attributes:
        name: SHA-256 of its bytes, hex.
        size: Bytes.
        head, tail: Short hashes of its first and last 64 bytes; a later version finds its like by them.
    """

    name: str
    size: int
    head: str
    tail: str

    @classmethod
    def of(cls, content: bytes) -> Piece:
        """The piece that some bytes are."""
        name = hashlib.sha256(content).hexdigest()
        return cls(name, len(content), _short(content[:_EDGE]), _short(content[-_EDGE:]))


@dataclass(frozen=True, slots=True)
class Tree:
    """Files, sorted by the bytes of their names, and the pieces of their content end to end."""

    files: tuple[TreeFile, ...]
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> tuple[str, str]:
        """``("sha256", hex)`` of a single file; ``("dirHash", hex)`` of several.

        Source: in-toto DigestSet, ``dirHash``; golang.org/x/mod/sumdb/dirhash, ``Hash1``.
        """
        if len(self.files) == 1:
            return "sha256", self.files[0].sha256
        return "dirHash", dir_hash(self.files)

    def to_bytes(self) -> bytes:
        """One line for each file and piece, so that versions of a tree differ in few lines."""
        lines: list[list[Any]] = [[FORMAT]]
        lines += [["file", file.name, file.size, file.sha256] for file in self.files]
        lines += [["piece", piece.name, piece.size, piece.head, piece.tail] for piece in self.pieces]
        return b"".join(encode(line) + b"\n" for line in lines)


def dir_hash(files: Iterable[TreeFile]) -> str:
    """The directory hash of Go modules, hex: what ``sha256sum`` prints for each file, hashed again."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.sha256}  {file.name}\n".encode())
    return state.hexdigest()


def read_tree(content: bytes) -> Tree:
    """A tree from its text.

    Raises:
        IntegrityError: It is damaged, or a name leads out of the folder.
    """
    files: list[TreeFile] = []
    pieces: list[Piece] = []
    lines = content.split(b"\n")
    if lines[0] != json.dumps([FORMAT]).encode() or lines[-1]:
        raise IntegrityError("This is not a list of files.", expected=FORMAT)
    for line in lines[1:-1]:
        match parse(line, "a line of a list of files"):
            case ["file", str(name), int(size), str(sha256)] if is_inside(name):
                files.append(TreeFile(name, size, sha256))
            case ["piece", str(name), int(size), str(head), str(tail)]:
                pieces.append(Piece(name, size, head, tail))
            case _:
                raise IntegrityError("A line of a list of files cannot be read.")
    if sum(file.size for file in files) != sum(piece.size for piece in pieces):
        raise IntegrityError("The files and the pieces of a version differ in size.")
    return Tree(tuple(files), tuple(pieces))


def is_inside(name: str) -> bool:
    """Whether a name stays below the folder that it is joined to."""
    path = PurePosixPath(name)
    return (
        bool(name)
        and "\0" not in name
        and not path.is_absolute()
        and ".." not in path.parts
        and str(path) == name
    )


def _short(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()
