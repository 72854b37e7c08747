"""A journal on files: one ``.npz`` for each key, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


class FileJournal:
    """Keeps arrays below a folder.

    A file that a crash left unreadable counts as absent: the work is done again.

    Args:
        root: Folder, made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def load(self, key: str) -> Mapping[str, np.ndarray] | None:
        """Arrays saved under ``key``, or ``None``."""
        try:
            with self._path(key).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def save(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep ``arrays`` under ``key``.

        Raises:
            OSError: The folder cannot be written to.
        """
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _path(self, key: str) -> Path:
        """A file name that no key can lead out of the folder, and that two keys never share."""
        words = re.sub(r"[^A-Za-z0-9.=-]+", "_", key).strip(".")[:80]
        return self.root / f"{words}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
