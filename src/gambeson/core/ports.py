"""Ports: what the core asks of the outside world. Adapters implement them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Progress(Protocol):
    """Where long work reports how far it is. Every method returns at once."""

    def start(self, check: str, total: float) -> None:
        """A check begins; ``total`` is its planned work in model passes over one sample."""

    def advance(self, check: str, done: float, note: str = "") -> None:
        """``done`` more of the planned work is behind us; ``note`` is shown beside the bar."""

    def finish(self, check: str, note: str = "") -> None:
        """The check has ended, whatever its outcome."""


class Journal(Protocol):
    """Where finished pieces of work survive a crash. Keys are ``/``-separated words."""

    def load(self, key: str) -> Mapping[str, np.ndarray] | None:
        """Arrays saved under ``key``, or ``None``."""

    def save(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep ``arrays`` under ``key``, replacing what was there; atomic."""


class Clock(Protocol):
    """Monotonic seconds; tests pass their own."""

    def __call__(self) -> float:
        """Seconds since some fixed moment."""


class NoProgress:
    """Reports to nobody."""

    def start(self, check: str, total: float) -> None:
        """Ignore."""

    def advance(self, check: str, done: float, note: str = "") -> None:
        """Ignore."""

    def finish(self, check: str, note: str = "") -> None:
        """Ignore."""


class NoJournal:
    """Remembers nothing."""

    def load(self, key: str) -> Mapping[str, np.ndarray] | None:
        """Nothing is ever found."""
        return None

    def save(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Ignore."""
