"""How the process of a command shares the machine and keeps its memory."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of malloc's parameters for ``mallopt`` of the GNU C library."""
_KEPT = 512 * 2**20
_LARGE = 32 * 2**20
"""The most that the library accepts on 64 bits."""


def prepare() -> None:
    """Set up the process for numerical work; to be called before torch is loaded.

    Threads that wait by spinning take the processor from whoever else computes, and from each other: an audit beside
    one busy process took five times as long. And malloc hands the memory of large arrays back to the system as soon
    as they are freed; fetching it again, page by page, took a fifth of the time of a small network's passes.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGE)
