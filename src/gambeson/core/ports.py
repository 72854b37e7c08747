"""Ports: what the core asks of the outside world. Adapters implement them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Where independent pieces of long work are done: here, in other processes, on other machines."""

    @property
    def workers(self) -> int:
        """How many pieces may be under way at the same time."""

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], go_on: Callable[[], bool]
    ) -> Iterator[Result]:
        """Results in the order of ``items``, the same wherever they are computed.

        ``go_on`` is asked before each item is begun; once it says no, what is under way is finished and the rest is
        left. An exception of the function is raised where its result would stand.
        """


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


class Objects(Protocol):
    """Where a store keeps pieces of content. A name is 64 hex digits and always stands for the same content."""

    def save(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Keep pieces under their names; on the disk when this returns, each whole or not at all."""

    def load(self, name: str) -> bytes:
        """A piece; raises ``IntegrityError`` where there is none."""

    def has(self, name: str) -> bool:
        """Whether there is a piece of this name."""

    def names(self) -> Iterator[str]:
        """Every name there is."""

    def sizes(self) -> int:
        """Bytes that all pieces take."""

    def remove(self, names: Iterable[str]) -> None:
        """Delete pieces; those that are not there are no error."""

    def writing(self) -> AbstractContextManager[None]:
        """Held while pieces are saved and until a record names them: nothing is swept meanwhile."""

    def sweeping(self) -> AbstractContextManager[None]:
        """Held while pieces are deleted: nobody writes meanwhile."""


class Records(Protocol):
    """An append-only table of numbered records, from 0 without gaps."""

    def append(self, number: int, record: bytes, digest: str) -> bool:
        """Add a record, on the disk when this returns; false, and nothing added, if the number is taken."""

    def read(self, start: int) -> list[tuple[bytes, str]]:
        """Records and their digests from a number on, in order."""


class SameProcess:
    """Does one piece after another, here."""

    workers = 1

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], go_on: Callable[[], bool]
    ) -> Iterator[Result]:
        """Results in the order of ``items``, until ``go_on`` says no."""
        for item in items:
            if not go_on():
                return
            yield function(item)


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
