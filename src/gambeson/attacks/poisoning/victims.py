"""The one input that a targeted attack is about."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.poisoning.base import PoisonTask
from gambeson.core.errors import UsageError


def require_victim(task: PoisonTask) -> np.ndarray:
    """The victim, (*shape) float32.

    Raises:
        UsageError: The task has none, or one of another shape.
    """
    if task.victim is None or task.victim.shape != task.schema.shape:
        given = "none" if task.victim is None else str(task.victim.shape)
        raise UsageError(
            f"This attack is on one input; it was given {given}.",
            expected=f"an input of shape {task.schema.shape}",
            remedy="name a row of the test split with --victim",
        )
    return np.asarray(task.victim, np.float32)
