"""Ctrl-C as an early deadline: long work winds up in order and keeps what it found."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gambeson.audit.runner import AuditClock


@contextmanager
def interrupts(clock: AuditClock) -> Iterator[None]:
    """The first Ctrl-C lets every deadline pass, the second one ends the program as usual.

    Does nothing outside the main thread, where no signal arrives.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def wind_up(number: int, frame: object) -> None:
        clock.interrupt()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, wind_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
