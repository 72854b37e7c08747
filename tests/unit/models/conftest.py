"""Schemas and data that the adapters' tests share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gambeson.data.schema import Schema
from gambeson.models.model_file import ModelFile, read_model_file


@cache
def digits():
    """(1797, 64) float32 in [0, 1] and labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


@cache
def cancer():
    """(569, 30) float32 and labels."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return x.astype(np.float32), y.astype(np.int64)


DIGITS = Schema((64,), tuple("0123456789"))
IMAGES = Schema((1, 8, 8), tuple("0123456789"))
CANCER = Schema((30,), ("malignant", "benign"), 0.0, 1000.0)


@pytest.fixture
def write(tmp_path) -> Callable[[str, bytes], str]:
    """Writes bytes to a file of the test's own folder; gives its path as text."""

    def save(name: str, data: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return save


@pytest.fixture
def saved(write) -> Callable[[str, bytes], ModelFile]:
    """The same, read back as a model file."""
    return lambda name, data: read_model_file(write(name, data))


class Payload:
    """Unpickling this object makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))
