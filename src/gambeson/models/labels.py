"""Matching a model's own class labels with the data's class names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gambeson.core.errors import UsageError


def column_order(labels: Sequence[object], classes: tuple[str, ...], name: str) -> list[int]:
    """Where each class of the data stands among the model's columns.

    A model's labels may be the class names, or their numbers from 0.

    Args:
        labels: The model's labels, one per column: strings, integers or booleans.
        classes: The data's class names in the order of their numbers.
        name: The model, for messages.

    Returns:
        For each class, the index of its column.

    Raises:
        UsageError: They are not the same set.
    """
    texts = [_text(label) for label in labels]
    for wanted in (list(classes), [str(number) for number in range(len(classes))]):
        if sorted(texts) == sorted(wanted):
            return [texts.index(label) for label in wanted]
    raise UsageError(
        f"The model {name} knows the classes {_shown(texts)}; the data has {_shown(list(classes))}.",
        expected="the same classes, by name or by number from 0",
        remedy="check that model and data belong together, and which column holds the label",
    )


def _text(label: object) -> str:
    if isinstance(label, bool | np.bool_):
        return str(int(label))
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _shown(labels: list[str]) -> str:
    return ", ".join(labels[:6]) + (f", ... ({len(labels)})" if len(labels) > 6 else "")
