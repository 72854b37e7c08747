"""Learning from one call what a model answers: how many classes, and logits or probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import GambesonError, ModelError, UsageError
from gambeson.data.schema import Schema

LOGITS = "logits"
PROBABILITIES = "probabilities"

Predict = Callable[[np.ndarray], np.ndarray]
"""Raw answer of a framework: (n, *shape) float32 in, (n, k) or (n,) numbers out."""

_ROWS = 8
_ROW_SUM_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller says about a model before it is called.

    Attributes:
        schema: The data's shape, bounds and classes.
        scores: ``"logits"``, ``"probabilities"`` or ``None`` to find out.
        classes: Number of classes, or ``None`` for as many as the data has.

    Raises:
        UsageError: ``scores`` is neither, or there are fewer than two classes.
    """

    schema: Schema
    scores: str | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.scores not in (None, LOGITS, PROBABILITIES):
            raise UsageError(
                f"scores={self.scores!r} is no kind of score.",
                expected=f"{LOGITS!r}, {PROBABILITIES!r}, or nothing to find out",
            )
        if self.count < 2:
            raise UsageError(
                f"A classifier with {self.count} class cannot be audited.",
                expected="at least 2 classes",
                remedy="check the data's label column",
            )

    @property
    def count(self) -> int:
        """Number of classes that the model must have."""
        return len(self.schema.classes) if self.classes is None else self.classes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the probe learnt.

    Attributes:
        scores: ``"logits"`` or ``"probabilities"``.
        single: True when the model gives one column, the score of the second class.
    """

    scores: str
    single: bool


def check_shape(name: str, wants: tuple[int | None, ...], schema: Schema) -> None:
    """Compare a model's declared input shape with the data's.

    Args:
        name: The model.
        wants: Its input shape without the batch axis; ``None`` for an axis of any size.
        schema: The data.

    Raises:
        UsageError: They differ.
    """
    fits = len(wants) == len(schema.shape) and all(
        w in (None, s) for w, s in zip(wants, schema.shape, strict=True)
    )
    if not fits:
        shown = ", ".join("any" if w is None else str(w) for w in wants)
        raise UsageError(
            f"The model {name} takes inputs of shape ({shown}); the data gives {schema.shape}.",
            expected="the same shape, without the batch axis",
            remedy="give the data this model was trained on, or export the model for this shape",
        )


def check_columns(name: str, wants: int, schema: Schema) -> None:
    """Compare a table model's number of features with the data's.

    Raises:
        UsageError: They differ.
    """
    check_shape(name, (wants,), schema)


def probe_rows(schema: Schema) -> np.ndarray:
    """Eight valid inputs, always the same: two at the middle of the bounds, six drawn inside them.

    An unbounded side counts as 1 away from the other one, or from 0.

    Returns:
        (8, *shape) float32.
    """
    low, high = (bound.astype(np.float64) for bound in schema.bounds())
    low = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - 1, -1.0))
    high = np.where(np.isfinite(high), high, low + 1)
    place = np.random.default_rng(0).random((_ROWS, *schema.shape))
    place[:2] = 0.5
    whole = schema.integer_mask()
    rows: np.ndarray = (
        low + (high - low + whole) * place
    )  # a whole number stands for the unit interval above it
    rows[:, whole] = np.floor(rows[:, whole])
    return rows.astype(np.float32)


def probe(name: str, predict: Predict, expected: Expected) -> Answer:
    """Call a model once on :func:`probe_rows` and judge what comes back.

    Raises:
        ModelError: The model raised, or answered with NaN, infinity or no (n, classes) numbers.
        UsageError: Its number of classes is not the expected one.
    """
    rows = probe_rows(expected.schema)
    try:
        raw = np.asarray(predict(rows))
    except GambesonError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise ModelError(
            f"The model {name} raised {type(error).__name__} on a batch of shape {rows.shape}: {said}",
            expected=f"a model that takes samples of shape {expected.schema.shape}, the shape of the data",
            remedy="check that model and data belong together, and run the model on one batch by itself",
        ) from error
    single = _is_single(name, raw, expected.count)
    columns = raw.reshape(len(rows), -1)
    check_finite(name, columns)
    return Answer(expected.scores or _kind(columns, single), single)


def _is_single(name: str, raw: np.ndarray, count: int) -> bool:
    rows = _ROWS
    if raw.ndim not in (1, 2) or len(raw) != rows or raw.dtype.kind not in "fiu":
        raise ModelError(
            f"The model {name} answered {rows} inputs with {raw.dtype} of shape {raw.shape}.",
            expected=f"({rows}, {count}) floating-point scores, one column per class",
        )
    columns = raw.size // rows
    if columns == count:
        return False
    if columns == 1 and count == 2:
        return True
    raise UsageError(
        f"The model {name} answers with {columns} classes; {count} were expected.",
        expected="as many classes in the model as in the data, in the same order",
        remedy="check that model and data belong together; if the data lacks some classes, give --classes",
    )


def _kind(columns: np.ndarray, single: bool) -> str:
    inside = bool(((columns >= 0) & (columns <= 1)).all())
    sums_to_one = single or bool((np.abs(columns.sum(1) - 1) <= _ROW_SUM_TOLERANCE).all())
    return PROBABILITIES if inside and sums_to_one else LOGITS


def check_finite(name: str, scores: np.ndarray) -> None:
    """Refuse NaN and infinity.

    Raises:
        ModelError: A score is not finite.
    """
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        raise ModelError(
            f"The model {name} answered with NaN or infinity for {int(bad.sum())} of {len(scores)} inputs.",
            expected="finite scores for every input inside the data's bounds",
            remedy="check the model's preprocessing and the data's bounds",
        )


def finish(name: str, raw: np.ndarray, answer: Answer) -> np.ndarray:
    """Turn a framework's answer into the seam's: two columns where the model gives one, float32, finite.

    A single logit z becomes (-z/2, z/2), whose softmax is (1 - sigmoid(z), sigmoid(z)).

    Args:
        name: The model, for messages.
        raw: (n, k) numbers, or (n,) or (n, 1) where ``answer.single``.
        answer: What the probe learnt.

    Returns:
        (n, classes) float32.

    Raises:
        ModelError: A score is not finite.
    """
    scores = np.asarray(raw).reshape(len(raw), -1)
    if answer.single:
        left = -scores / 2 if answer.scores == LOGITS else 1 - scores
        right = scores / 2 if answer.scores == LOGITS else scores
        scores = np.concatenate([left, right], axis=1)
    check_finite(name, scores)
    return np.ascontiguousarray(scores, np.float32)
