"""Records, models and targets whose leak of membership is known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gambeson.attacks.privacy.harness import Candidates
from gambeson.attacks.privacy.references import References
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from gambeson.models.model import Model, ModelInfo

CLASSES = 4


@dataclass
class Nearest:
    """Remembers its training records: sure of those it holds to within rounding, undecided elsewhere."""

    x: np.ndarray
    y: np.ndarray
    fits: list[int] = field(default_factory=list)
    info: ModelInfo = ModelInfo("nearest", "callable", (6,), CLASSES, "probabilities")  # noqa: RUF009

    def scores(self, x: np.ndarray) -> np.ndarray:
        distance = np.abs(x[:, None] - self.x[None]).sum(-1)
        sure = np.exp(-4 * distance.min(1))
        own = np.eye(CLASSES)[self.y[distance.argmin(1)]]
        return ((1 - sure)[:, None] / CLASSES + sure[:, None] * own).astype(np.float32)

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> Model:
        self.fits.append(seed)
        return Nearest(x, y)


def records(n: int, seed: int) -> ArraySplit:
    """Records whose label says nothing about the features, so that a model can only memorise them."""
    rng = np.random.default_rng(seed)
    return ArraySplit(rng.random((n, 6)).astype(np.float32), rng.integers(0, CLASSES, n))


def dataset(train: ArraySplit, test: ArraySplit) -> Dataset:
    schema = Schema((6,), tuple("abcd"))
    return Dataset("records", schema, {"train": train, "test": test}, "sha256:0")


def candidates(*, leak: float, n: int = 800, references: int = 4, seed: int = 0) -> Candidates:
    """Records of unequal difficulty; training on one raises the logit of its class by ``leak``.

    With ``leak`` 0 the target and its references know nothing about membership.
    """
    rng = np.random.default_rng(seed)
    truth, labels = np.arange(n) < n // 2, rng.integers(0, CLASSES, n)
    difficulty = rng.normal(0, 2, n)
    included = np.stack([row for _ in range(references // 2) for row in _pair(rng.random(n) < 0.5)])
    target = _log_probabilities(difficulty + leak * truth + rng.normal(0, 0.5, n), labels)
    logits = difficulty + leak * included + rng.normal(0, 0.5, (references, n))
    answers = np.stack([_log_probabilities(row, labels) for row in logits]).astype(np.float32)
    features = np.stack([difficulty, rng.normal(size=n)], axis=1).astype(np.float32)
    return Candidates(target, labels, truth, References(answers, included, references), features)


def _pair(half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return half, ~half


def _log_probabilities(logit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, classes): ``logit`` for the true class, 0 for the others, normalised."""
    scores = np.eye(CLASSES)[labels] * logit[:, None]
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))
