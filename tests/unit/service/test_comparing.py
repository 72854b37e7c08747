"""Two versions of a dataset are compared as they were added."""

from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.service.comparing import compare_versions
from tests.trace_world import TraceWorld, rows


def test_rows_are_counted_between_versions(tmp_path):
    world = TraceWorld(tmp_path)
    world.data()
    lines = rows().splitlines()
    lines[5] = lines[5].rpartition(",")[0] + (",no" if lines[5].endswith("yes") else ",yes")
    world.data("\n".join([*lines[:-1], "7,7,red,no"]) + "\n")
    change = compare_versions(world.space, "people@1", "people@2")
    assert (change.added, change.removed, change.relabelled, change.before) == (1, 1, 1, 200)


def test_a_model_is_no_dataset(tmp_path):
    world = TraceWorld(tmp_path)
    world.data()
    world.model()
    with pytest.raises(UsageError, match="is a model"):
        compare_versions(world.space, "people@1", "churn@1")
