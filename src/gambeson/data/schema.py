"""What a sample looks like: shape, bounds in input units, classes, and features by name for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gambeson.core.errors import UsageError

_ROUNDING = 1e-6
"""Room that float32 rounding of a sum gets, relative to the sizes of its terms."""


class Kind(StrEnum):
    """How a feature's values are to be read."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a table.

    Attributes:
        name: Column name.
        kind: Numeric, integer, or categorical. A categorical value is stored as the index of its category.
        low: Smallest allowed value, in input units.
        high: Largest allowed value.
        categories: Names of the categories in the order of their codes; empty unless categorical.
        frozen: True when no attacker can change it.
    """

    name: str
    kind: Kind = Kind.NUMERIC
    low: float = -np.inf
    high: float = np.inf
    categories: tuple[str, ...] = ()
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum of features and a constant, compared with 0.

    Attributes:
        text: As the user wrote it.
        terms: ``(feature, weight)``.
        constant: Added to the sum.
        sense: ``"="``, ``"<="`` or ``"<"``.
    """

    text: str
    terms: tuple[tuple[str, float], ...]
    constant: float
    sense: str

    def holds(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether each row satisfies it, up to float32 rounding: (n,) bool. Columns are (n,) by name."""
        parts = [weight * columns[name].astype(np.float64) for name, weight in self.terms]
        total = np.asarray(sum(parts, np.float64(self.constant)))
        room = _ROUNDING * np.asarray(sum((np.abs(part) for part in parts), np.float64(abs(self.constant))))
        if self.sense == "=":
            return np.asarray(np.abs(total) <= room)
        return np.asarray(total < 0 if self.sense == "<" else total <= room)


@dataclass(frozen=True, slots=True)
class Determines:
    """A category that determines the value of another feature.

    Attributes:
        text: As the user wrote it.
        source: The categorical feature.
        target: The determined feature.
        values: Value of the target for each category, NaN for one that the data never shows.
    """

    text: str
    source: str
    target: str
    values: tuple[float, ...] = ()

    def holds(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether each row satisfies it: (n,) bool. Columns are (n,) by name."""
        table = np.array(self.values, np.float32)
        codes = np.nan_to_num(columns[self.source]).clip(0, len(table) - 1).astype(int)
        return np.asarray(table[codes] == columns[self.target].astype(np.float32))


Relation = Linear | Determines


@dataclass(frozen=True, slots=True)
class Schema:
    """Shape, bounds and classes of a dataset.

    Attributes:
        shape: Shape of one sample, without the batch axis. Images are channels first: (C, H, W).
        classes: Class names in the order of their labels.
        low: Smallest allowed input value, a scalar for images; per-feature bounds live in ``features``.
        high: Largest allowed input value.
        features: Columns of a table, in order; empty for images.
        relations: What every row satisfies beyond the bounds of its features.
        one_hot: Groups of columns of which exactly one is 1 and the others are 0.
        sensitive: Features whose values an attacker may want to infer; empty where none was named.
        confidential: A feature and a value of it whose share among the training records is a secret; may be empty.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    features: tuple[Feature, ...] = ()
    relations: tuple[Relation, ...] = ()
    one_hot: tuple[tuple[str, ...], ...] = ()
    sensitive: tuple[str, ...] = ()
    confidential: tuple[str, str] | tuple[()] = ()

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest allowed input, float32, each of shape ``shape``."""
        if self.features:
            low = np.array([f.low for f in self.features], np.float32)
            high = np.array([f.high for f in self.features], np.float32)
            return low.reshape(self.shape), high.reshape(self.shape)
        return np.full(self.shape, self.low, np.float32), np.full(self.shape, self.high, np.float32)

    def frozen_mask(self, also: tuple[str, ...] = ()) -> np.ndarray:
        """True where an attacker may not change the input: frozen features and those named in ``also``.

        Categorical features and one-hot groups are always frozen here: a category has no neighbourhood in a norm.

        Returns:
            bool array of shape ``shape``.

        Raises:
            UsageError: A name in ``also`` is no feature.
        """
        names = {f.name for f in self.features}
        unknown = [name for name in also if name not in names]
        if unknown:
            raise UsageError(
                f"Frozen feature {unknown[0]!r} is not in the data.", expected=", ".join(sorted(names))
            )
        grouped = {name for group in self.one_hot for name in group}
        flags = [
            f.frozen or f.kind is Kind.CATEGORICAL or f.name in also or f.name in grouped
            for f in self.features
        ]
        return np.array(flags, bool).reshape(self.shape) if flags else np.zeros(self.shape, bool)

    def integer_mask(self) -> np.ndarray:
        """True where only whole numbers are valid; bool array of shape ``shape``."""
        flags = [f.kind is not Kind.NUMERIC for f in self.features]
        return np.array(flags, bool).reshape(self.shape) if flags else np.zeros(self.shape, bool)

    def consistent(self, x: np.ndarray) -> np.ndarray:
        """Whether each row keeps the relations and the one-hot groups.

        Args:
            x: (n, d) rows of a table.

        Returns:
            (n,) bool; all true for data that declare neither.
        """
        columns = {feature.name: x[:, place] for place, feature in enumerate(self.features)}
        good = np.ones(len(x), bool)
        for relation in self.relations:
            good &= relation.holds(columns)
        for group in self.one_hot:
            block = np.stack([columns[name] for name in group], axis=1)
            good &= ((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1) == 1)
        return good

    def place(self, name: str) -> int:
        """Number of the column called ``name``, from 0."""
        return next(i for i, feature in enumerate(self.features) if feature.name == name)

    @property
    def is_image(self) -> bool:
        """Whether a sample can be shown as a picture: (C, H, W) with 1 or 3 channels."""
        return len(self.shape) == 3 and self.shape[0] in (1, 3)
