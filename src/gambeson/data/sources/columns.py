"""One column of a table: what kind it is, learnt chunk by chunk, and its values as numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.data.schema import Kind
from gambeson.data.sources.labels import number

MISSING = "(missing)"
"""Name of the category of an empty cell."""

MOST_CATEGORIES = 10_000
_EXACT = 1 << 24
"""Beyond this float32 holds no longer every integer."""

Values = Sequence[str] | np.ndarray
"""Cells of a column: texts, or float64 numbers where the file has types."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the rows of a chunk stand in the file: ``word`` is ``"line"`` or ``"row"``."""

    source: str
    word: str
    numbers: Sequence[int]

    def __getitem__(self, row: int) -> str:
        return f"{self.source}, {self.word} {self.numbers[row]}"


@dataclass(slots=True)
class Column:
    """A column that finds out what it holds. Show it every chunk once, then let it encode them.

    Attributes:
        name: Column name.
        missing: Texts that stand for a missing value.
        categorical: Whether numbers are names here, as in labels.
        most: Most distinct texts.
        kind: What the cells so far are, ``None`` before the first that is not missing.
        texts: Distinct texts; empty for numbers.
        gap: Place of a missing cell, or empty.
    """

    name: str
    missing: Collection[str] = ()
    categorical: bool = False
    most: int = MOST_CATEGORIES
    kind: Kind | None = None
    texts: set[str] = field(default_factory=set)
    gap: str = ""
    _codes: dict[str, int] = field(default_factory=dict)

    def observe(self, values: Values, places: Places) -> None:
        """Learn from the next cells.

        Raises:
            UsageError: A number among texts or a text among numbers, a missing or non-finite number, or so
                many different texts that they are no categories.
        """
        if isinstance(values, np.ndarray):
            self._observe_numbers(values, places, whole=values.dtype.kind in "biu")
            return
        if self.kind is None:
            known = next((value for value in values if value not in self.missing), None)
            if self.categorical or (known is not None and number(known) is None):
                self.kind = Kind.CATEGORICAL
            elif known is not None:
                self.kind = Kind.INTEGER
        if self.kind in (Kind.INTEGER, Kind.NUMERIC):
            self._observe_numerals(values, places)
        else:
            self._observe_texts(values, places)

    def finish(self) -> None:
        """All chunks have been seen: number the categories, numbers by value and texts by alphabet."""
        self.kind = self.kind or Kind.CATEGORICAL
        values = {text: None if text in self.missing else number(text) for text in self.texts}
        ordered = sorted(self.texts)
        if all(value is not None or text in self.missing for text, value in values.items()):
            ordered.sort(key=lambda text: (values[text] is not None, values[text] or 0.0))
        self._codes = {text: code for code, text in enumerate(ordered)}

    @property
    def ordered(self) -> tuple[str, ...]:
        """The distinct texts in the order of their codes."""
        return tuple(self._codes)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories in the order of their codes; empty for numbers."""
        return tuple(text or MISSING for text in self.ordered) if self.kind is Kind.CATEGORICAL else ()

    def encode(self, values: Values) -> np.ndarray:
        """The cells as float64 numbers; those of categories are codes.

        Raises:
            IntegrityError: A cell was not there before: the file changed.
        """
        try:
            if self.kind is Kind.CATEGORICAL:
                return np.array([self._codes[value] for value in values], np.float64)
            return np.array(values, np.float64)
        except (KeyError, ValueError):
            raise IntegrityError(
                f"Column {self.name!r} changed while it was read.", remedy="read it when nobody writes to it"
            ) from None

    def _observe_numerals(self, values: Sequence[str], places: Places) -> None:
        numbers = [number(value) for value in values]
        for row, (value, parsed) in enumerate(zip(values, numbers, strict=True)):
            if value in self.missing:
                self.gap = self.gap or places[row]
            elif parsed is None:
                raise self._mixed(places[row], value)
        if self.gap:
            raise self._invalid(self.gap, "is missing")
        whole = not any("." in value or "e" in value or "E" in value for value in values)
        self._observe_numbers(np.array(numbers, np.float64), places, whole=whole)

    def _observe_numbers(self, numbers: np.ndarray, places: Places, *, whole: bool) -> None:
        finite = np.isfinite(numbers)
        if not finite.all():
            row = int(np.argmin(finite))
            raise self._invalid(places[row], "is missing" if np.isnan(numbers[row]) else f"is {numbers[row]}")
        whole = whole and bool(numbers.min() >= -_EXACT and numbers.max() <= _EXACT)
        self.kind = Kind.INTEGER if whole and self.kind is not Kind.NUMERIC else Kind.NUMERIC

    def _observe_texts(self, values: Sequence[str], places: Places) -> None:
        for text in sorted(set(values) - self.texts):
            if text in self.missing:
                self.gap = self.gap or places[values.index(text)]
            elif not self.categorical and number(text) is not None:
                raise self._mixed(places[values.index(text)], text)
            self.texts.add(text)
        if len(self.texts) > self.most:
            raise UsageError(
                f"Column {self.name!r} of {places.source} has more than {self.most:,} different texts.",
                expected="numbers, categories or class labels",
                remedy=f"leave it out with drop={self.name}, or choose the right label column",
            )

    def _mixed(self, place: str, value: str) -> UsageError:
        what = "texts" if self.kind is Kind.CATEGORICAL else "numbers"
        return UsageError(
            f"{place}: column {self.name!r} holds {what}, but here {value!r}.",
            expected="either numbers or texts in one column",
            remedy=f"correct the cell, name its text in missing=..., or set categorical={self.name}",
        )

    def _invalid(self, place: str, problem: str) -> UsageError:
        return UsageError(
            f"{place}: a number in column {self.name!r} {problem}.",
            expected="finite numbers",
            remedy=f"remove the row, fill the value in, or leave the column out with drop={self.name}",
        )
