"""The path-finding check: trees are read, networks refused at once, forests not claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.adapters.journal_files import FileJournal
from gambeson.audit.base import PROFILES, checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.data.dataset import ArraySplit, Dataset
from tests.table_world import black_box, model
from tests.tables import rows, schema
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import value

CHECK = "extraction.paths"
EFFORT = replace(PROFILES["quick"], samples=100, queries=500)


def ask(target, **changes):
    splits = {
        name: ArraySplit(rows(n, seed=n), np.arange(n) % 2) for name, n in (("train", 200), ("test", 100))
    }
    made = context(CHECK, model=target, data=Dataset("people", schema(), splits, "sha256:0"))
    (finding,) = checks[CHECK].plugin(replace(made, effort=EFFORT, **changes))
    return finding


def rule(x):
    """A tree of five leaves over numbers, whole numbers and categories."""
    wide = np.where(np.isin(x[:, 6], (0, 2)), 1.0, np.where(x[:, 4] > 30, -2.0, 0.5))
    return np.where(x[:, 0] <= 4.25, wide, np.where(x[:, 5] <= 0.5, -1.0, 2.0))


def test_a_tree_is_read():
    finding = ask(black_box(rule))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert value(finding, "fidelity") == value(finding, "covered") == 1
    assert value(finding, "leaves") == 5
    assert value(finding, "queries") < 3_000
    assert "the tree is known" in finding.summary


def test_a_linear_model_is_refused_after_few_queries():
    with pytest.raises(Unavailable, match="ten-thousandth"):
        ask(model(start=1.0, rate=-2.0))


def test_an_ensemble_of_many_trees_is_not_claimed():
    rng = np.random.default_rng(0)
    stumps = [(int(rng.integers(0, 6)), rng.uniform(0, 10), rng.normal()) for _ in range(400)]
    finding = ask(black_box(lambda x: sum(w * (x[:, f] > t) for f, t, w in stumps)))
    assert (finding.outcome, finding.severity) == (Outcome.PASSED, Severity.INFO)
    assert value(finding, "covered") < 0.5
    assert value(finding, "queries") <= 10_000
    assert "too many regions" in finding.summary


def test_time_that_runs_out_is_said():
    ticks = iter([0.0] * 60 + [2.0] * 1_000)
    rng = np.random.default_rng(0)
    stumps = [(int(rng.integers(0, 6)), rng.uniform(0, 10), rng.normal()) for _ in range(400)]
    target = black_box(lambda x: sum(w * (x[:, f] > t) for f, t, w in stumps))
    finding = ask(target, deadline=1.0, clock=lambda: next(ticks))
    assert finding.outcome is Outcome.NOT_ASSESSED
    assert finding.cut


def test_a_resumed_check_asks_nothing_anew(tmp_path):
    journal, asked = FileJournal(tmp_path), []

    def counted(x):
        asked.append(len(x))
        return rule(x)

    first = ask(black_box(counted), journal=journal)
    asked.clear()
    again = ask(black_box(counted), journal=journal)
    assert again.measurements == first.measurements
    assert sum(asked) <= 104  # the audited inputs, in whole blocks
