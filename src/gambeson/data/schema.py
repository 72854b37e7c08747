"""What a sample looks like: shape, bounds in input units, classes, and features by name for tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gambeson.core.errors import UsageError


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
class Schema:
    """Shape, bounds and classes of a dataset.

    Attributes:
        shape: Shape of one sample, without the batch axis. Images are channels first: (C, H, W).
        classes: Class names in the order of their labels.
        low: Smallest allowed input value, a scalar for images; per-feature bounds live in ``features``.
        high: Largest allowed input value.
        features: Columns of a table, in order; empty for images.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    features: tuple[Feature, ...] = ()

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest allowed input, float32, each of shape ``shape``."""
        if self.features:
            low = np.array([f.low for f in self.features], np.float32)
            high = np.array([f.high for f in self.features], np.float32)
            return low.reshape(self.shape), high.reshape(self.shape)
        return np.full(self.shape, self.low, np.float32), np.full(self.shape, self.high, np.float32)

    def frozen_mask(self, also: tuple[str, ...] = ()) -> np.ndarray:
        """True where an attacker may not change the input: frozen features and those named in ``also``.

        Categorical features are always frozen here: a category has no neighbourhood in a norm.

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
        flags = [f.frozen or f.kind is Kind.CATEGORICAL or f.name in also for f in self.features]
        return np.array(flags, bool).reshape(self.shape) if flags else np.zeros(self.shape, bool)

    def integer_mask(self) -> np.ndarray:
        """True where only whole numbers are valid; bool array of shape ``shape``."""
        flags = [f.kind is not Kind.NUMERIC for f in self.features]
        return np.array(flags, bool).reshape(self.shape) if flags else np.zeros(self.shape, bool)

    @property
    def is_image(self) -> bool:
        """Whether a sample can be shown as a picture: (C, H, W) with 1 or 3 channels."""
        return len(self.shape) == 3 and self.shape[0] in (1, 3)
