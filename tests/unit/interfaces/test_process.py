"""Tests of gambeson.interfaces.process, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
if sys.argv[1] == "prepared":
    from gambeson.interfaces.process import prepare
    prepare()
import torch
a = torch.rand(300_000)
def use():
    for _ in range(200):
        b = a * 2
        c = b + 1
        del b, c
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt belongs to the GNU C library")
def test_memory_that_was_freed_is_not_fetched_again_page_by_page():
    assert int(_run(_FAULTS, "prepared")) < 2_000 < int(_run(_FAULTS, "plain"))


def test_waiting_threads_sleep_unless_the_user_says_otherwise():
    code = "import os; from gambeson.interfaces.process import prepare; prepare(); print(os.environ['OMP_WAIT_POLICY'])"
    assert _run(code) == "PASSIVE"
    assert _run(f"import os; os.environ['OMP_WAIT_POLICY'] = 'ACTIVE'; {code}") == "ACTIVE"
