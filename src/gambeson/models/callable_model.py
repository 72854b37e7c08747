"""Any Python function from a batch to scores, as a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.models.factory import import_function
from gambeson.models.model import ModelInfo
from gambeson.models.probing import LOGITS, PROBABILITIES, Answer, Expected, finish, probe

Function = Callable[[np.ndarray], np.ndarray]
"""(n, *shape) float32 in input units to (n, classes) scores."""


@dataclass(frozen=True, slots=True)
class CallableModel:
    """A model that is a Python function."""

    function: Function
    info: ModelInfo
    answer: Answer

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        return finish(self.info.name, np.asarray(self.function(x)), self.answer)


def callable_model(
    function: Function, *, shape: tuple[int, ...], classes: int, scores: str = PROBABILITIES
) -> CallableModel:
    """Wrap a Python function; it is not called yet.

    Args:
        function: (n, *shape) float32 to (n, classes) scores.
        shape: Shape of one input, without the batch axis.
        classes: Number of classes, at least 2.
        scores: ``"logits"`` or ``"probabilities"``.

    Raises:
        UsageError: ``scores`` is neither, or there are fewer than two classes.
    """
    if scores not in (LOGITS, PROBABILITIES):
        raise UsageError(
            f"scores={scores!r} is no kind of score.", expected=f"{LOGITS!r} or {PROBABILITIES!r}"
        )
    if classes < 2:
        raise UsageError(f"classes={classes} makes no classifier.", expected="at least 2 classes")
    name = f"python:{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', 'callable')}"
    info = ModelInfo(name, "callable", tuple(shape), classes, scores)
    return CallableModel(function, info, Answer(scores, single=False))


def open_callable(uri: str, expected: Expected) -> CallableModel:
    """The function that ``python:package.module:function`` names, called once to learn what it answers.

    Raises:
        UsageError: There is no such function, or its number of classes is not the data's.
        ModelError: It raised, or answered with something unusable.
    """
    function = import_function(uri.removeprefix("python:"))
    answer = probe(uri, function, expected)
    info = ModelInfo(uri, "callable", expected.schema.shape, expected.count, answer.scores)
    return CallableModel(function, info, answer)
