"""A writer that is killed at a random moment loses nothing that it acknowledged."""

from __future__ import annotations

import pytest

from benchmarks.crash import database, run_kills, run_writers
from gambeson.service.tracing import Places
from tests.postgres_server import find_postgres, running_server

pytest.importorskip("psycopg")
# From Python 3.12 on, fork warns where a thread runs: the children here use none of what threads hold.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_nothing_is_lost_with_sqlite(tmp_path):
    outcome = run_kills(tmp_path, 5, seed=1)
    assert (outcome.kills, outcome.problems) == (5, [])


@pytest.mark.skipif(find_postgres() is None, reason="PostgreSQL is not installed")
def test_nothing_is_lost_with_postgresql(tmp_path):
    with running_server() as url:
        outcome = run_kills(tmp_path, 4, seed=2, ledger=lambda number: database(url, number))
    assert (outcome.kills, outcome.problems) == (4, [])


def test_two_writers_lose_nothing(tmp_path):
    length, _ = run_writers(Places(tmp_path / "store"), 25)
    assert length == 50
