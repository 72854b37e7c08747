"""Settings and fixtures that every test shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Test processes share the cores, and one thread keeps the order of floating-point sums.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a test never times anything. Derandomised: a red test is red for everybody.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Finds a file of the optional data folder, or skips the test where the folder is absent."""
    folder = Path(os.environ.get("GAMBESON_DATA", "../shared/data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"{name} is not in $GAMBESON_DATA ({folder})")
        return path

    return find
