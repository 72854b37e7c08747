"""Progress on stderr: live bars in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)

from gambeson.core.ports import NoProgress

_SECONDS_BETWEEN_LINES = 5.0
_ENOUGH_TO_TELL = 0.01
"""Share of the work from which on the pace says something about the rest."""


class LiveProgress:
    """One bar for each check: share done, what was found, time left. Implements ``core.ports.Progress``.

    Args:
        console: Where to draw; a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> LiveProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, check: str, total: float) -> None:
        """A check begins; a second start (another threat model) begins its bar anew."""
        if check in self._tasks:
            self._bars.reset(self._tasks[check], total=total)
        else:
            self._tasks[check] = self._bars.add_task(check, total=total, note="")

    def advance(self, check: str, done: float, note: str = "") -> None:
        """More of the planned work is behind us."""
        self._bars.update(self._tasks[check], advance=done, note=note)

    def finish(self, check: str, note: str = "") -> None:
        """The check has ended; what it did not need counts as done."""
        if check not in self._tasks:
            self.start(check, 1)
        task = self._tasks[check]
        total = next(t.total for t in self._bars.tasks if t.id == task)
        self._bars.update(task, completed=total, note=note)


class PlainProgress:
    """A line for each check's start and end and every few seconds between, for logs.

    Args:
        console: Where to write.
        clock: Monotonic seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._total: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._said = float("-inf")

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""

    def start(self, check: str, total: float) -> None:
        """A check begins."""
        self._total[check], self._done[check], self._begun[check] = total, 0.0, self._clock()
        self._say(check, "started")

    def advance(self, check: str, done: float, note: str = "") -> None:
        """More of the planned work is behind us; said every few seconds."""
        self._done[check] += done
        if self._clock() - self._said >= _SECONDS_BETWEEN_LINES:
            self._say(check, f"{self._share(check):.0%}", note, self._left(check))

    def finish(self, check: str, note: str = "") -> None:
        """The check has ended."""
        self._say(check, "done", note)

    def _share(self, check: str) -> float:
        return min(self._done[check] / max(self._total[check], 1), 1)

    def _left(self, check: str) -> str:
        """Time left at the pace so far, once there is one."""
        share = self._share(check)
        if share < _ENOUGH_TO_TELL:
            return ""
        seconds = round((self._clock() - self._begun[check]) * (1 - share) / share)
        return f"about {seconds // 60}m{seconds % 60:02}s left" if seconds >= 60 else f"about {seconds}s left"

    def _say(self, check: str, *parts: str) -> None:
        self._said = self._clock()
        text = f"{check}: {', '.join(filter(None, parts))}"
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class SilentProgress(NoProgress):
    """Says nothing."""

    def __enter__(self) -> SilentProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""


def choose_progress(*, quiet: bool) -> LiveProgress | PlainProgress | SilentProgress:
    """Bars in a terminal, lines in a log, nothing when asked to be quiet."""
    if quiet:
        return SilentProgress()
    console = Console(stderr=True)
    return LiveProgress(console) if console.is_terminal else PlainProgress(console)
