"""A model is trained on a version of the store from the command line."""

from __future__ import annotations

import json
import sys

from tests.trace_world import rows


def test_what_a_command_writes_becomes_a_version(call, place):
    (place / "people.csv").write_text(rows(30))
    call("data", "add", "people", "people.csv", "--label", "label")
    (place / "train.py").write_text("import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n")
    words = ("model", "train", "churn", "churn.csv", "--from", "people@1", "-p", "seed=0", "--json", "--")
    code, out, _ = call(*words, sys.executable, "train.py", "{data}", "{out}")
    shown = json.loads(out)
    assert (code, shown["ref"], shown["version"]["lineage"]["inputs"]) == (0, "churn@1", ["people@1"])
    assert call(*words, sys.executable, "train.py", "{data}")[0] == 2
