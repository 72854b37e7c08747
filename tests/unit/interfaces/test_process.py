"""Tests of gambeson.interfaces.process, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gambeson.interfaces import process

_FAULTS = """
import resource
from gambeson.interfaces.process import prepare
prepare()
import torch
a = torch.rand(4_000_000)
def use():
    for _ in range(5):
        kept = [a * 2 for _ in range(6)]  # 96 MB, more than malloc keeps by itself
        del kept
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
    # 5 x 96 MB are 120,000 pages. Where they lie is luck: an array or two may be fetched anew once (4,000 pages each)
    # with the settings, and without them nearly all are, every time.
    assert int(_run(_FAULTS)) < 30_000


class Library:
    """A C library that writes down what is set."""

    def __init__(self):
        self.settings = {}

    def mallopt(self, name, value):
        self.settings[name] = value


def test_malloc_keeps_half_a_gibibyte_and_maps_only_what_is_larger_than_32(monkeypatch):
    library = Library()
    monkeypatch.setattr(process.ctypes, "CDLL", lambda name: library)
    process.prepare()
    # M_TRIM_THRESHOLD is -1 and M_MMAP_THRESHOLD is -3 in malloc.h
    assert library.settings == {-1: 512 * 2**20, -3: 32 * 2**20}


def test_a_c_library_without_mallopt_is_left_alone(monkeypatch):
    monkeypatch.setattr(process.ctypes, "CDLL", lambda name: object())
    process.prepare()


def test_waiting_threads_sleep_unless_the_user_says_otherwise():
    code = "import os; from gambeson.interfaces.process import prepare; prepare(); print(os.environ['OMP_WAIT_POLICY'])"
    assert _run(code) == "PASSIVE"
    assert _run(f"import os; os.environ['OMP_WAIT_POLICY'] = 'ACTIVE'; {code}") == "ACTIVE"
