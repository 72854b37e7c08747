"""The store: trees of files and single documents by their digest, each piece of content kept once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.core.ports import NoProgress, Objects, Progress
from gambeson.supply.canonical import decode, encode
from gambeson.supply.chunking import cut
from gambeson.supply.files import PlainFile, read_blocks
from gambeson.supply.pieces import bases_of, frame, load_piece
from gambeson.supply.tree import Piece, Tree, TreeFile, read_tree

_STEP = "store"
_BATCH = 64 << 20
"""Bytes that are held before they are written."""


class Store:
    """Content by digest over a place for pieces.

    Args:
        objects: Where pieces are kept.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def add_tree(
        self,
        files: Sequence[PlainFile],
        *,
        like: str | None = None,
        progress: Progress = NoProgress(),  # noqa: B008
    ) -> tuple[str, Tree]:
        """Keep files; they are on the disk when this returns.

        Args:
            files: As ``list_files`` gives them.
            like: A tree that is probably similar: the version before.
            progress: Told bytes.

        Returns:
            The tree's name, and the tree.

        Raises:
            Refused: A file changed while it was read.
            Unavailable: The store cannot be written to.
        """
        progress.start(_STEP, float(sum(file.size for file in files)))
        listed: list[TreeFile] = []
        before = self.tree(like).pieces if like is not None else ()
        content = _through(files, listed, lambda size: progress.advance(_STEP, float(size)))
        pieces = self._keep(cut(content), before)
        tree = Tree(tuple(listed), tuple(pieces))
        name = self._add_text(tree.to_bytes(), like)
        progress.finish(_STEP)
        return name, tree

    def tree(self, name: str) -> Tree:
        """The tree of a name.

        Raises:
            IntegrityError: It is missing or was changed.
        """
        return read_tree(b"".join(load_piece(piece.name, self.objects) for piece in self._parts(name)))

    def add_document(self, content: bytes) -> str:
        """Keep a document whole, e.g. a signed statement; the same content gets the same name."""
        return self._add_piece(content).name

    def document(self, name: str) -> bytes:
        """A document, checked against its name.

        Raises:
            IntegrityError: It is missing or was changed.
        """
        return load_piece(name, self.objects)

    def read(self, tree: Tree) -> Iterator[bytes]:
        """The content of all files end to end, each piece checked."""
        for piece in tree.pieces:
            yield load_piece(piece.name, self.objects)

    def check(self, name: str) -> Tree:
        """Read a tree and all of its content, and check both against every digest.

        Raises:
            IntegrityError: A piece is missing or was changed, or the pieces are not those of the files.
        """
        tree = self.tree(name)
        content = _Reader(self.read(tree))
        for file in tree.files:
            _verify(file, content.take(file.size))
        return tree

    def check_out(self, name: str, folder: Path) -> list[Path]:
        """Write a tree's files below a new folder, each checked as it is written; all of them or none.

        Raises:
            UsageError: The folder exists and is not empty, or cannot be written to.
            IntegrityError: The content was changed.
        """
        tree = self.tree(name)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty.", expected="a new folder")
        fresh = not folder.exists()
        content = _Reader(self.read(tree))
        try:
            return [_write(folder / file.name, file, content) for file in tree.files]
        except OSError as error:
            _clear(folder, fresh)
            raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from None
        except BaseException:
            _clear(folder, fresh)
            raise

    def names(self, tree: str) -> set[str]:
        """Every piece that a tree needs, those included that others are a difference from."""
        parts = [piece.name for piece in self._parts(tree)]
        return self.closure([tree, *parts, *(piece.name for piece in self.tree(tree).pieces)])

    def closure(self, pieces: Iterable[str]) -> set[str]:
        """Pieces, and those that they are stored as a difference from."""
        found = set(pieces)
        return found | {base for name in found for base in bases_of(name, self.objects)}

    def sweep(self, keep: set[str]) -> int:
        """Delete all pieces but some; returns how many went."""
        lost = [name for name in self.objects.names() if name not in keep]
        self.objects.remove(lost)
        return len(lost)

    def _parts(self, name: str) -> list[Piece]:
        """The pieces of a tree's own text."""
        head = decode(load_piece(name, self.objects), "the head of a list of files")
        try:
            return [Piece(*part) for part in head["tree"]]
        except (KeyError, TypeError):
            raise IntegrityError(f"{name[:16]} is no list of files.") from None

    def _add_text(self, text: bytes, like: str | None) -> str:
        before = self._parts(like) if like is not None else ()
        parts = self._keep(cut([text]), before)
        head = encode({"tree": [[p.name, p.size, p.head, p.tail] for p in parts]})
        return self._add_piece(head).name

    def _keep(self, contents: Iterable[bytes], before: Sequence[Piece]) -> list[Piece]:
        """Keep pieces in batches, each as a difference from its like among those before where that is shorter."""
        like = _Likes(before)
        pieces: list[Piece] = []
        batch: dict[str, bytes] = {}
        room = 0
        for content in contents:
            piece = Piece.of(content)
            pieces.append(piece)
            likes = like.find(piece)
            if piece.name not in batch and not self.objects.has(piece.name):
                batch[piece.name] = frame(content, self.objects, likes)
                room += len(batch[piece.name])
            if room > _BATCH:
                self.objects.save(batch.items())
                batch, room = {}, 0
        self.objects.save(batch.items())
        return pieces

    def _add_piece(self, content: bytes) -> Piece:
        piece = Piece.of(content)
        if not self.objects.has(piece.name):
            self.objects.save([(piece.name, frame(content, self.objects))])
        return piece


class _Likes:
    """Finds a piece's like in the version before: the same beginning, the same end, or what follows the last one."""

    def __init__(self, before: Sequence[Piece]) -> None:
        self._before = before
        self._place = {piece.tail: i for i, piece in enumerate(before)} | {
            p.head: i for i, p in enumerate(before)
        }
        self._next = 0

    def find(self, piece: Piece) -> list[str]:
        """Names of the most promising piece and of its neighbours: a cut may have moved."""
        place = self._place.get(piece.head, self._place.get(piece.tail, self._next))
        self._next = place + 1
        places = (place, place + 1, place - 1)
        return [self._before[i].name for i in places if 0 <= i < len(self._before)]


class _Reader:
    """Takes so many bytes at a time from a stream of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def take(self, size: int) -> Iterator[memoryview]:
        """The next ``size`` bytes, in blocks."""
        while size > 0:
            self._held = self._held or memoryview(next(self._pieces, b""))
            if not self._held:
                raise IntegrityError("The content of a version is shorter than its list of files says.")
            block, self._held = self._held[:size], self._held[size:]
            size -= len(block)
            yield block


def _through(
    files: Sequence[PlainFile], listed: list[TreeFile], read: Callable[[int], None]
) -> Iterator[bytes]:
    """The content of all files end to end; lists each file with its digest once it has been read."""
    for file in files:
        state = hashlib.sha256()
        for block in read_blocks(file):
            state.update(block)
            read(len(block))
            yield block
        listed.append(TreeFile(file.name, file.size, state.hexdigest()))


def _verify(file: TreeFile, blocks: Iterable[memoryview]) -> None:
    state = hashlib.sha256()
    for block in blocks:
        state.update(block)
    if state.hexdigest() != file.sha256:
        raise IntegrityError(f"The stored content of {file.name} is not what its digest says.")


def _write(path: Path, file: TreeFile, content: _Reader) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as stream:
        _verify(file, _copied(content.take(file.size), stream.write))
    return path


def _clear(folder: Path, fresh: bool) -> None:
    """Take away what was written below a folder that was not there, or was empty."""
    for child in [folder] if fresh else [*folder.iterdir()]:
        if child.is_dir():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)


def _copied(blocks: Iterable[memoryview], write: Callable[[memoryview], object]) -> Iterator[memoryview]:
    for block in blocks:
        write(block)
        yield block
