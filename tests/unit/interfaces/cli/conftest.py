"""A tiny model that the command line can open: a Python function on the digits."""

from __future__ import annotations

import pytest

MODEL = '''
import numpy as np

def scores(x):
    """Brightness of ten regions: a poor classifier, but a fast one."""
    flat = x.reshape(len(x), -1)
    return np.stack([flat[:, i::10].sum(1) for i in range(10)], 1).astype(np.float32)
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder with model.py in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


@pytest.fixture
def call(capsys):
    """Runs the command line: (exit code, stdout, stderr)."""
    from gambeson.interfaces.cli.app import run

    def runs(*words):
        code = run([str(word) for word in words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return runs


AUDIT = (
    "audit", "python:model.py:scores", "--data", "builtin:digits", "--profile", "quick", "--samples", "8",
    "--only", "evasion.scores", "--quiet",
)  # fmt: skip


@pytest.fixture
def audit_words():
    """A small audit."""
    return AUDIT
