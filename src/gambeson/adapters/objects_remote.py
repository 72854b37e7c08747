"""Pieces of content in an object store such as S3, through fsspec."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from gambeson.core.errors import IntegrityError, Unavailable, UsageError, missing_extra


class RemoteObjects:
    """Pieces below a URI whose file system puts an object whole or not at all, as S3, GCS and Azure do.

    Such stores have no lock, so nothing is ever swept there: a sweep could not tell a piece that nothing needs from
    one that somebody is about to name.

    Args:
        uri: ``s3://bucket/prefix``; what fsspec reads. The package for the scheme (``s3fs``, ``gcsfs``) must be there.

    Raises:
        UsageError: The scheme is unknown.
        Unavailable: A package is missing.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._files, self._root = _open(uri)

    def save(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Keep pieces; the store has acknowledged each when this returns.

        Raises:
            Unavailable: The store does not take them; what was there is still there.
        """
        with self._told():
            for name, content in pieces:
                self._files.pipe_file(self._path(name), content)

    def load(self, name: str) -> bytes:
        """A piece.

        Raises:
            IntegrityError: There is none of this name.
            Unavailable: The store cannot be reached.
        """
        with self._told():
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError:
                raise IntegrityError(
                    f"The store {self.uri} has lost the piece {name[:16]}.",
                    remedy="restore it from a copy of the store: a piece of the same name is the same content",
                ) from None

    def has(self, name: str) -> bool:
        """Whether there is a piece of this name."""
        with self._told():
            return bool(self._files.exists(self._path(name)))

    def names(self) -> Iterator[str]:
        """Every name there is."""
        for path in self._found():
            yield "".join(path.rsplit("/", 2)[-2:])

    def sizes(self) -> int:
        """Bytes that all pieces take."""
        return sum(int(details["size"]) for details in self._found().values())

    def remove(self, names: Iterable[str]) -> None:
        """Never done here.

        Raises:
            Unavailable: Always.
        """
        raise self._no_lock()

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Nothing to hold: nobody sweeps."""
        return contextlib.nullcontext()

    def sweeping(self) -> contextlib.AbstractContextManager[None]:
        """Never granted.

        Raises:
            Unavailable: Always.
        """
        raise self._no_lock()

    def _found(self) -> dict[str, Any]:
        with self._told():
            self._files.invalidate_cache()
            try:
                return dict(self._files.find(f"{self._root}/objects", detail=True))
            except FileNotFoundError:
                return {}

    def _no_lock(self) -> Unavailable:
        return Unavailable(
            f"{self.uri} has no lock against writers, so nothing is deleted there.",
            remedy="copy what is kept into a new store, when nobody writes",
        )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, FileNotFoundError):
            raise
        except Exception as error:  # each file system has exceptions of its own
            said = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise Unavailable(
                f"The store {self.uri} cannot be used: {said}. What it held before is unchanged.",
                remedy="check the address and that you may write there; then run the same command again",
            ) from None

    def _path(self, name: str) -> str:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise IntegrityError(f"{name[:70]!r} is no name of a piece.", expected="64 hex digits")
        return f"{self._root}/objects/{name[:2]}/{name[2:]}"


def _open(uri: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise missing_extra("fsspec", "remote") from None
    try:
        files, root = url_to_fs(uri)
    except ImportError as error:
        raise Unavailable(f"{uri.partition(':')[0]}: needs a package: {error}.") from None
    except ValueError as error:
        raise UsageError(f"{uri} is no store: {error}.", expected="s3://bucket/prefix") from None
    return files, str(root).rstrip("/")
