"""The files below some paths, in order; what is no file is named with the reason why it is left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gambeson.core.errors import UsageError


class Found(NamedTuple):
    """A path, and why it is not looked at; no reason for a file."""

    path: str
    skipped: str = ""


def walk(paths: Sequence[str | Path]) -> Iterator[Found]:
    """Every file below the paths, sorted by name within each folder; links are not followed.

    A path that the caller names is followed if it is a link: that one was meant.

    Raises:
        UsageError: A path does not exist.
    """
    for path in paths:
        shown = os.fspath(path)
        try:
            mode = os.stat(shown).st_mode
        except OSError as error:
            raise UsageError(
                f"{shown!r} cannot be scanned: {error.strerror}.", expected="files or folders that exist"
            ) from None
        if stat.S_ISDIR(mode):
            yield from _below(shown)
        elif stat.S_ISREG(mode):
            yield Found(os.path.realpath(shown) if os.path.islink(shown) else shown)
        else:
            yield Found(shown, _kind(mode))


def _below(root: str) -> Iterator[Found]:
    inside, pending = os.path.realpath(root), [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=_name)
        except OSError as error:
            yield Found(folder, f"the folder cannot be read: {error.strerror}")
            continue
        below = []
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield Found(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif entry.is_symlink():
                yield Found(entry.path, _link(entry.path, inside))
            else:
                yield Found(entry.path, _kind(entry.stat(follow_symlinks=False).st_mode))
        pending.extend(reversed(below))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _link(path: str, root: str) -> str:
    target = os.path.realpath(path)
    if target == root or target.startswith(root.rstrip("/") + "/"):
        return "a link within the folder; what it points to is scanned where it lies"
    return f"a link that leads out of the folder, to {target}"


def _kind(mode: int) -> str:
    names = (
        (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
    )  # fmt: skip
    return next((f"it is {name}, not a file" for test, name in names if test(mode)), "it is no file")
