"""Labels: from texts or numbers as a source holds them to class names and int64 class numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.sources.options import nearest
from gambeson.data.sources.spool import require_memory

MOST_CLASSES = 100_000
"""More are no classes but a quantity; the largest public label set (ImageNet-21k) has 21,841."""


def number(text: str) -> float | None:
    """The number that a text stands for, or ``None``. ``1_000`` is a text: only Python calls it a number."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def number_texts(
    source: str, texts: Collection[str], classes: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Class names, and the class number of each label text.

    Texts are numbered in alphabetical order. Integers that begin at 0 are class numbers already, so that a
    class which happens not to occur moves no other; other integers are numbered in ascending order.

    Args:
        source: What people call the data, for messages.
        texts: The distinct labels.
        classes: Names in the order of their labels, if given.

    Raises:
        UsageError: Numbers that are no integers, too few or too many classes, a label beyond ``classes``.
    """
    values = {text: number(text) for text in texts}
    numbers = {text: value for text, value in values.items() if value is not None}
    if classes and set(texts) <= set(classes):
        codes = {text: classes.index(text) for text in texts}
    elif numbers and len(numbers) == len(values):
        classes, codes = _number_integers(source, numbers, classes)
    elif classes:
        unknown = min(set(texts) - set(classes))
        raise UsageError(
            f"{source} has the label {unknown!r}.",
            expected=f"one of classes={','.join(classes)}",
            remedy=nearest(unknown, classes) or "add it to classes",
        )
    else:
        classes = tuple(sorted(texts))
        codes = {text: code for code, text in enumerate(classes)}
    _require_sensible(source, len(classes))
    return classes, codes


def _number_integers(
    source: str, numbers: Mapping[str, float], classes: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, int]]:
    for text, value in numbers.items():
        if not (math.isfinite(value) and value == int(value)):
            raise _no_integer(source, text)
    order = sorted({int(value) for value in numbers.values()})
    if order[0] == 0 or classes:
        if classes and not 0 <= order[0] <= order[-1] < len(classes):
            bad = order[0] if order[0] < 0 else order[-1]
            raise UsageError(
                f"{source} has the label {bad}.", expected=f"0 to {len(classes) - 1}, or a class name"
            )
        _require_sensible(source, max(2, order[-1] + 1))
        names = classes or tuple(map(str, range(order[-1] + 1)))
        return names, {text: int(value) for text, value in numbers.items()}
    places = {value: place for place, value in enumerate(order)}
    return tuple(map(str, order)), {text: places[int(value)] for text, value in numbers.items()}


def number_arrays(
    source: str, arrays: Mapping[str, np.ndarray], classes: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Class names, and int64 class numbers for the labels of each split.

    Args:
        source: What people call the data, for messages.
        arrays: (n,) or (n, 1) labels by split: all integers from 0, or all texts.
        classes: Names in the order of their labels, if given.

    Raises:
        UsageError: Wrong shape, negative or non-integer labels, too few or too many classes.
        Unavailable: More labels than memory holds.
    """
    require_memory(sum(8 * a.size + a.nbytes for a in arrays.values()), f"The labels of {source}")
    flat = {split: _flat(source, array) for split, array in arrays.items()}
    if all(array.dtype.kind in "US" for array in flat.values()):
        texts = {split: array.astype(str) for split, array in flat.items()}
        distinct = {str(text) for array in texts.values() for text in np.unique(array)}
        names, codes = number_texts(source, distinct, classes)
        return names, {split: _encode(array, codes) for split, array in texts.items()}
    numbers = {split: _integers(source, split, array) for split, array in flat.items()}
    most = max((int(array.max()) for array in numbers.values() if array.size), default=0)
    if classes and most >= len(classes):
        raise UsageError(f"{source} has the label {most}.", expected=f"0 to {len(classes) - 1}")
    _require_sensible(source, len(classes) or most + 1)
    return classes or tuple(map(str, range(most + 1))), numbers


def _flat(source: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 1:
        return array
    raise UsageError(
        f"The labels of {source} have shape {array.shape}.",
        expected="one label for each row: (n,)",
        remedy="if they are one-hot rows, store labels.argmax(axis=1)",
    )


def _encode(texts: np.ndarray, codes: Mapping[str, int]) -> np.ndarray:
    distinct, inverse = np.unique(texts, return_inverse=True)
    return np.array([codes[str(text)] for text in distinct], np.int64)[inverse]


def _integers(source: str, split: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise UsageError(f"The labels of {source} are of type {array.dtype}.", expected="integers or texts")
    with np.errstate(invalid="ignore"):
        numbers = np.asarray(array).astype(np.int64)
    where = f"{source}, split {split!r}" if split else source
    if (wrong := numbers != array).any():
        row = int(np.argmax(wrong))
        raise _no_integer(f"{where}, row {row}", f"{array[row]}")
    if (wrong := numbers < 0).any():
        row = int(np.argmax(wrong))
        raise UsageError(
            f"{where}, row {row} has the label {numbers[row]}.",
            expected="integers from 0 to the number of classes less one",
            remedy="number the classes from 0, or store their names as texts",
        )
    return numbers


def _no_integer(source: str, label: str) -> UsageError:
    return UsageError(
        f"{source} has the label {label}, which is no integer.",
        expected="class numbers or class names",
        remedy="choose the right label column; a quantity to be predicted must be divided into classes first",
    )


def _require_sensible(source: str, count: int) -> None:
    if not 2 <= count <= MOST_CLASSES:
        raise UsageError(
            f"{source}: the labels make {count:,} class{'' if count == 1 else 'es'}.",
            expected=f"2 to {MOST_CLASSES:,} classes",
            remedy="choose the right labels with label=..., or name all classes with classes=...",
        )
