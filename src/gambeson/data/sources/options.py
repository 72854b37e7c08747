"""How to read a data source: the options a user may give, parsed and checked."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from gambeson.core.errors import UsageError

_WORDS_FOR_SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Options of a data source. Each source refuses those that mean nothing to it.

    Attributes:
        label: Column (name, or number counted from 0, negative from the end) or array that holds the labels.
            ``None``: the last column, or the array called ``y``, ``labels`` or ``target``.
        classes: Names of the classes in the order of their labels; ``()`` takes them from the data: texts in
            alphabetical order, numbers as they are.
        low: Smallest allowed input value, in input units; ``None`` takes it from the data.
        high: Largest allowed input value.
        scale: Whether uint8 pictures are divided by 255, so that input units are [0, 1]; else [0, 255].
        freeze: Features that no attacker can change.
        categorical: Columns to read as categories although they look like numbers.
        drop: Columns to leave out.
        names: Column names, for tables that have none.
        header: Whether the first row of a CSV file holds names: ``"first"``, ``"none"`` or ``"auto"``
            (it does unless one of its cells is a number).
        separator: What separates the cells of a CSV file: one character, or ``tab``, ``space``, ``comma``,
            ``semicolon``, ``pipe``; ``""`` finds out.
        missing: Texts that stand for a missing value.
        split: Column that names the split of each row (``train``, ``test``, ...).
        test_fraction: Share of rows in the split ``test`` in (0, 1]; the rest is ``train``. Only for sources
            without splits of their own.
        split_seed: Seed of that division.
        relations: What every row of a table satisfies, e.g. ``start < end``, ``total = a + b``, or
            ``city -> zip_code`` for a category that determines another feature.
        one_hot: Patterns such as ``colour_*``, one for each group of columns of which exactly one is 1.
        sensitive: Columns of a table whose values an attacker may want to infer.
        confidential: A column and a value, ``sex=Female``, whose share among the training records is a secret.
        max_pixels: Largest picture (width times height) that is decoded.

    Raises:
        UsageError: A value is out of its range.
    """

    label: str | None = None
    classes: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    scale: bool = True
    freeze: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    header: str = "auto"
    separator: str = ""
    missing: tuple[str, ...] = ("", "?", "NA", "N/A", "NaN", "nan", "null")
    split: str | None = None
    test_fraction: float = 0.25
    split_seed: int = 0
    relations: tuple[str, ...] = ()
    one_hot: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    confidential: str = ""
    max_pixels: int = 1 << 24

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if not all(map(math.isfinite, bounds)) or (len(bounds) == 2 and bounds[0] >= bounds[1]):
            raise UsageError(
                f"The bounds of the data are low={self.low}, high={self.high}.",
                expected="finite numbers, low below high",
            )
        if not 0 < self.test_fraction <= 1:
            raise UsageError(f"test_fraction is {self.test_fraction:g}.", expected="above 0, at most 1")
        if self.split_seed < 0:
            raise UsageError(f"split_seed is {self.split_seed}.", expected="an integer of at least 0")
        if self.max_pixels < 1:
            raise UsageError(f"max_pixels is {self.max_pixels}.", expected="at least 1")
        if self.header not in ("auto", "first", "none"):
            raise UsageError(f"header is {self.header!r}.", expected="auto, first or none")
        if len(self.separator) > 1 or self.separator in ('"', "\n", "\r"):
            raise UsageError(f"The separator is {self.separator!r}.", expected="one character, tab or space")
        if len(set(self.classes)) < len(self.classes):
            raise UsageError(f"A name occurs twice in classes={','.join(self.classes)}.")

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> DataOptions:
        """Read options as they stand on a command line or in a file; lists are separated by commas.

        Args:
            pairs: ``(name of the attribute, text)``.

        Raises:
            UsageError: An unknown or repeated name, or a text that is no value of that option.
        """
        values: dict[str, object] = {}
        for key, text in pairs:
            if key not in _READERS:
                raise _unknown(key)
            if key in values:
                raise UsageError(f"The data option {key!r} is given twice.", remedy="keep one of them")
            try:
                values[key] = _READERS[key](text)
            except ValueError:
                raise UsageError(
                    f"The data option {key}={text!r} cannot be read.", expected=_EXPECTED[_READERS[key]]
                ) from None
        return cls(**values)  # type: ignore[arg-type]

    def require_only(self, kind: str, allowed: Sequence[str]) -> None:
        """Refuse options that would be ignored.

        Args:
            kind: What the source is, for the message.
            allowed: Attributes that mean something to it.

        Raises:
            UsageError: An attribute beyond ``allowed`` differs from its default.
        """
        for field in fields(self):
            if field.name not in allowed and getattr(self, field.name) != field.default:
                raise UsageError(
                    f"The data option {field.name!r} means nothing for {kind}.",
                    expected=", ".join(allowed) or "no options",
                    remedy=f"leave {field.name!r} out",
                )

    def refuse_division(self, source: str) -> None:
        """Refuse the options of a division where the source brings its own splits.

        Raises:
            UsageError: ``test_fraction`` or ``split_seed`` differs from its default.
        """
        division = ("test_fraction", "split_seed")
        others = [field.name for field in fields(self) if field.name not in division]
        self.require_only(f"{source}, which has splits of its own", others)


def nearest(word: str, known: Iterable[str]) -> str:
    """``"did you mean 'x'?"`` for the known word nearest to ``word``, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def _unknown(key: str) -> UsageError:
    return UsageError(
        f"Unknown data option {key!r}.", expected=", ".join(_READERS), remedy=nearest(key, _READERS)
    )


def _text(text: str) -> str:
    return text


def _texts(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no"):
        raise ValueError(text)
    return text.lower() in ("true", "yes")


def _separator(text: str) -> str:
    return _WORDS_FOR_SEPARATORS.get(text, text)


_READERS: dict[str, Callable[[str], object]] = {
    "label": _text,
    "classes": _texts,
    "low": float,
    "high": float,
    "scale": _truth,
    "freeze": _texts,
    "categorical": _texts,
    "drop": _texts,
    "names": _texts,
    "header": _text,
    "separator": _separator,
    "missing": _texts,
    "split": _text,
    "test_fraction": float,
    "split_seed": int,
    "relations": _texts,
    "one_hot": _texts,
    "sensitive": _texts,
    "confidential": _text,
    "max_pixels": int,
}

_EXPECTED: dict[Callable[[str], object], str] = {
    float: "a number",
    int: "an integer",
    _truth: "true or false",
}
