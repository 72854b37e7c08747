from __future__ import annotations

import io

from rich.console import Console

from gambeson.interfaces.cli.progress import LiveProgress, PlainProgress, SilentProgress


def test_a_log_gets_a_line_at_the_start_at_the_end_and_now_and_then():
    stream, now = io.StringIO(), iter(range(0, 100, 2))
    with PlainProgress(Console(file=stream, width=100), clock=lambda: next(now)) as progress:
        progress.start("evasion", 100)
        for _ in range(10):
            progress.advance("evasion", 10, "3 of 9 broken")
        progress.finish("evasion", "FAILED")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "evasion: started"
    assert lines[-1] == "evasion: done, FAILED"
    assert 3 <= len(lines) < 12
    assert "3 of 9 broken" in lines[1]


def test_bars_take_a_check_that_never_started_and_one_that_starts_again():
    with LiveProgress(Console(file=io.StringIO(), force_terminal=True)) as progress:
        progress.finish("one", "NOT_ASSESSED")
        progress.start("two", 10)
        progress.start("two", 20)
        progress.advance("two", 5, "note")
        progress.finish("two")


def test_quiet_is_quiet(capsys):
    with SilentProgress() as progress:
        progress.start("x", 1)
        progress.advance("x", 1)
        progress.finish("x")
    assert capsys.readouterr() == ("", "")
