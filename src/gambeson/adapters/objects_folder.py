"""Pieces of content in a folder: written aside, forced to the disk, then put in their place."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from gambeson.core.errors import IntegrityError, Unavailable

_TOGETHER = 2048
"""Pieces that are forced to the disk together."""
_WAITING = 16
"""Files that wait for the disk at the same time: it then writes many with one turn."""


class FolderObjects:
    """Pieces below ``objects/``; what a crash left half-written stays in ``staging/`` and is never read.

    Args:
        root: Folder, made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._staging = root / "staging"

    def save(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Keep pieces: each is on the disk, under its name, when this returns.

        Raises:
            Unavailable: The folder cannot be written to, or the disk is full; what was there is still there.
        """
        pending = iter(pieces)
        while batch := list(islice(pending, _TOGETHER)):
            try:
                self._save(batch)
            except OSError as error:
                raise unwritable(self.root, error) from None

    def load(self, name: str) -> bytes:
        """A piece.

        Raises:
            IntegrityError: There is none of this name.
            Unavailable: It cannot be read.
        """
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise IntegrityError(
                f"The store {self.root} has lost the piece {name[:16]}.",
                remedy="restore it from a copy of the store: a piece of the same name is the same content",
            ) from None
        except OSError as error:
            raise Unavailable(f"The store {self.root} cannot be read: {error.strerror}.") from None

    def has(self, name: str) -> bool:
        """Whether there is a piece of this name."""
        return self._path(name).is_file()

    def names(self) -> Iterator[str]:
        """Every name there is."""
        for path in self._files():
            yield path.parent.name + path.name

    def sizes(self) -> int:
        """Bytes that all pieces take."""
        return sum(path.stat().st_size for path in self._files())

    def remove(self, names: Iterable[str]) -> None:
        """Delete pieces, and what crashes left half-written."""
        try:
            for name in names:
                self._path(name).unlink(missing_ok=True)
            if self._staging.is_dir():
                for path in self._staging.iterdir():
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.root, error) from None

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Shared with other writers."""
        return self._locked(fcntl.LOCK_SH)

    def sweeping(self) -> contextlib.AbstractContextManager[None]:
        """Alone."""
        return self._locked(fcntl.LOCK_EX)

    @contextlib.contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise unwritable(self.root, error) from None
        try:
            fcntl.flock(handle, kind)
            yield
        finally:
            os.close(handle)

    def _save(self, batch: list[tuple[str, bytes]]) -> None:
        staged: list[tuple[str, Path]] = []
        try:
            self._staging.mkdir(parents=True, exist_ok=True)
            for name, content in batch:
                staged.append((self._stage(content), self._path(name)))
            _force_all(temporary for temporary, _ in staged)
            for temporary, path in staged:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(temporary, path)
        except BaseException:
            for temporary, _ in staged:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            raise
        _force_all({path.parent for _, path in staged} | {self._objects, self.root})

    def _stage(self, content: bytes) -> str:
        handle, temporary = tempfile.mkstemp(dir=self._staging)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(temporary, 0o444)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return temporary

    def _files(self) -> Iterator[Path]:
        return self._objects.glob("??/*")

    def _path(self, name: str) -> Path:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise IntegrityError(f"{name[:70]!r} is no name of a piece.", expected="64 hex digits")
        return self._objects / name[:2] / name[2:]


def unwritable(root: Path, error: OSError) -> Unavailable:
    """The one message for a store that takes nothing more."""
    return Unavailable(
        f"The store {root} cannot be written to: {error.strerror}. What it held before is unchanged.",
        remedy="make room, or choose a store that you may write to; then run the same command again",
    )


def _force_all(paths: Iterable[str | Path]) -> None:
    with ThreadPoolExecutor(_WAITING) as pool:
        for _ in pool.map(_force, paths):
            pass


def _force(path: str | Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
