"""A one-feature classifier with known distances, as a check sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gambeson.audit.base import PROFILES, CheckContext
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Feature, Schema
from tests.tiny_models import linear

DISTANCES = np.linspace(0.02, 0.48, 24, dtype=np.float32)
X = np.concatenate([0.5 - DISTANCES, 0.5 + DISTANCES])[:, None]
Y = np.r_[np.zeros(24, np.int64), np.ones(24, np.int64)]
SCHEMA = Schema((1,), ("low", "high"), features=(Feature("x", low=0.0, high=1.0),))
DATA = Dataset("line", SCHEMA, {"test": ArraySplit(X, Y)}, "sha256:0")


def context(check: str = "evasion.gradient", eps: float = 0.25, **changes) -> CheckContext:
    """A context whose model falls exactly where the distance is below eps."""
    effort = replace(PROFILES["quick"], steps=10, queries=40, targets=1, curve=(0.5, 1.0, 1.5))
    made = CheckContext(
        check, linear([[0.0], [10.0]], [0.0, -5.0]), DATA, ThreatModel(Norm.LINF, eps), effort, Seed(0)
    )
    return replace(made, **changes)


def standing(eps: float) -> float:
    """The robust accuracy that the distances say."""
    return float((eps < DISTANCES).mean())
