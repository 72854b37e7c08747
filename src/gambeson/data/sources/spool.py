"""Arrays on disk: written once to a temporary file without a name, then memory-mapped.

Random access to rows then costs no memory, whatever the source was (a compressed archive, a CSV file). The
file has no name, so that its space is free again as soon as nobody uses the array, even after a crash.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from types import TracebackType

import numpy as np

from gambeson.core.errors import Unavailable

_GIB = 1 << 30


class Spool:
    """A temporary file that becomes an array. Use it as a context manager.

    Args:
        expected: Bytes that will be written as far as known, so that a lack of space shows at once.

    Raises:
        Unavailable: The temporary folder has no room for that.
    """

    def __init__(self, expected: int = 0) -> None:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if expected > free:
            raise _no_room(f"{expected / _GIB:.1f} GiB are needed and {free / _GIB:.1f} GiB are free", folder)
        self._folder = folder
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, data: bytes | np.ndarray) -> None:
        """Append bytes, or the values of an array in C order.

        Raises:
            Unavailable: The temporary folder is full.
        """
        try:
            self._file.write(np.ascontiguousarray(data).data if isinstance(data, np.ndarray) else data)
        except OSError as error:
            raise _no_room(error.strerror or "writing failed", self._folder) from None

    def array(self, dtype: np.dtype, shape: tuple[int, ...], *, fortran: bool = False) -> np.ndarray:
        """What was written, as a read-only array on disk; it outlives the spool.

        Raises:
            Unavailable: The temporary folder is full.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise _no_room(error.strerror or "writing failed", self._folder) from None
        if math.prod(shape) == 0:
            return np.empty(shape, dtype)
        return np.memmap(self._file, dtype, mode="r", shape=shape, order="F" if fortran else "C")


def require_memory(size: int, what: str) -> None:
    """Refuse to hold what cannot fit.

    Args:
        size: Bytes.
        what: What needs them, for the message.

    Raises:
        Unavailable: They are more than half of this machine's memory.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory // 2:
        raise Unavailable(
            f"{what} would take {size / _GIB:.1f} GiB of the {memory / _GIB:.1f} GiB memory of this machine.",
            remedy="check that the file is what you think it is, or use a part of it",
        )


def _no_room(reason: str, folder: str) -> Unavailable:
    return Unavailable(
        f"The data cannot be unpacked into the temporary folder {folder}: {reason}.",
        remedy="free some space, or name a larger folder in the environment variable TMPDIR",
    )
