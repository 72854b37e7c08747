"""An executor on the processors of this machine: one single-threaded process for each."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from gambeson.core.errors import GambesonError
from gambeson.core.ports import Item, Result, SameProcess

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class LocalProcesses:
    """Spawned processes, started only where the work is worth it.

    The first item is done here and timed. The rest goes to processes where it would take longer than ``worth``
    seconds here; starting one, with torch, takes two or three. What cannot be sent to a process (a function or model
    defined in the running script) or loses its process is done here.

    Args:
        workers: Processes at the same time; by default one for each processor.
        worth: Seconds of work from which processes are started; 0 for at once, the first item included.
        clock: Seconds.
    """

    def __init__(
        self, workers: int | None = None, *, worth: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._worth, self._clock = worth, clock

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], go_on: Callable[[], bool]
    ) -> Iterator[Result]:
        """Results in the order of ``items``, until ``go_on`` says no."""
        rest, taken = list(items), float("inf")
        if self._worth > 0 and rest:
            begun = self._clock()
            yield from SameProcess().map(function, rest[:1], go_on)
            taken, rest = self._clock() - begun, rest[1:]
        if min(self.workers, len(rest)) < 2 or taken * len(rest) < self._worth:
            yield from SameProcess().map(function, rest, go_on)
        else:
            yield from self._spread(function, rest, go_on)

    def _spread(
        self, function: Callable[[Item], Result], items: list[Item], go_on: Callable[[], bool]
    ) -> Iterator[Result]:
        count = min(self.workers, len(items))
        left, under_way = deque(items), deque[tuple[Item, Future[Result] | None]]()
        with ProcessPoolExecutor(count, get_context("spawn"), initializer=_settle) as pool:
            while left or under_way:
                while left and len(under_way) < count and go_on():
                    item = left.popleft()
                    under_way.append((item, _submit(pool, function, item)))
                if not under_way:
                    return
                yield _result(function, *under_way.popleft())


def _settle() -> None:
    """In a new process: one thread, and Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))


def _submit(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], item: Item
) -> Future[Result] | None:
    """The future result, or ``None`` where the processes have died."""
    try:
        return pool.submit(function, item)
    except RuntimeError:  # BrokenProcessPool is one
        return None


def _result(function: Callable[[Item], Result], item: Item, future: Future[Result] | None) -> Result:
    """The result of the process, or else of doing it here: an error of the function's own shows again."""
    if future is not None:
        try:
            return future.result()
        except GambesonError:
            raise
        except Exception:  # noqa: S110  # it could not be sent or its process died, and both are no error of ours
            pass
    return function(item)
