"""What changed between two versions of a dataset: rows, labels, and how each feature is distributed."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Feature, Kind

_BATCH = 1024
_TERMS = 100


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the distribution of one feature moved.

    Attributes:
        feature: Its name; of a picture, its mean and its spread.
        statistic: ``"KS"``, the largest distance between the two distribution functions, or ``"TV"``, half of the sum
            of absolute differences between the shares of the categories; both in [0, 1].
        value: The statistic.
        p: Chance of a KS at least this large if both were drawn from one distribution (asymptotic, and too large for
            values that repeat); NaN for TV.
    """

    feature: str
    statistic: str
    value: float
    p: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed.

    Attributes:
        before, after: Rows in all splits.
        added, removed: Rows, told apart by their features.
        relabelled: Rows with the same features and another label.
        drift: One for each feature, the largest first.
    """

    before: int
    after: int
    added: int
    removed: int
    relabelled: int
    drift: tuple[Drift, ...]


def compare_datasets(before: Dataset, after: Dataset) -> Difference:
    """Compare all rows of two datasets with the same features; a category counts by its name.

    Holds a digest of each row, and the columns of a table.

    Raises:
        UsageError: Their features or shapes differ.
    """
    _require_same_features(before, after)
    rows, columns = _read(before)
    others, other_columns = _read(after)
    added, removed, relabelled = _compare_rows(rows, others)
    names = [f.name for f in before.schema.features] or ["mean of a picture", "spread of a picture"]
    numeric = [f.kind is not Kind.CATEGORICAL for f in before.schema.features] or [True, True]
    drift = [
        _drift(name, a, b, is_numeric)
        for name, a, b, is_numeric in zip(names, columns, other_columns, numeric, strict=True)
    ]
    return Difference(
        len(columns[0]),
        len(other_columns[0]),
        added,
        removed,
        relabelled,
        tuple(sorted(drift, key=lambda d: -d.value)),
    )


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The two-sample statistic and its asymptotic p-value.

    Args:
        a: (n,) values.
        b: (m,) values.

    Source: Smirnov 1948; Press et al., Numerical Recipes, section 14.3 (the series, with Stephens' correction).
    """
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    steps = np.searchsorted(a, both, side="right") / len(a) - np.searchsorted(b, both, side="right") / len(b)
    distance = float(np.abs(steps).max())
    size = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    scale = (size + 0.12 + 0.11 / size) * distance
    if scale < 0.2:
        return distance, 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scale) ** 2) for k in range(1, _TERMS))
    return distance, min(max(2 * sum(terms), 0.0), 1.0)


def _drift(name: str, a: np.ndarray, b: np.ndarray, numeric: bool) -> Drift:
    if numeric:
        return Drift(name, "KS", *kolmogorov_smirnov(a.astype(float), b.astype(float)))
    shares = [Counter(column.tolist()) for column in (a, b)]
    apart = (abs(shares[0][v] / len(a) - shares[1][v] / len(b)) for v in shares[0].keys() | shares[1].keys())
    return Drift(name, "TV", sum(apart) / 2, math.nan)


def _compare_rows(
    before: dict[bytes, Counter[str]], after: dict[bytes, Counter[str]]
) -> tuple[int, int, int]:
    added = removed = relabelled = 0
    for row in before.keys() | after.keys():
        labels, others = before.get(row, Counter()), after.get(row, Counter())
        gone, new = (labels - others).total(), (others - labels).total()
        changed = min(gone, new)
        relabelled, removed, added = relabelled + changed, removed + gone - changed, added + new - changed
    return added, removed, relabelled


def _read(data: Dataset) -> tuple[dict[bytes, Counter[str]], list[np.ndarray]]:
    """Labels by digest of a row's features, and a column for each feature (two for pictures)."""
    rows: dict[bytes, Counter[str]] = {}
    parts: list[list[np.ndarray]] = []
    for split in data.splits.values():
        for x, y in split.batches(_BATCH):
            named = _columns(x, data.schema.features)
            parts.append(named)
            for key, label in zip(_keys(x, named, data.schema.features), y, strict=True):
                rows.setdefault(key, Counter())[data.schema.classes[int(label)]] += 1
    return rows, [np.concatenate(column) for column in zip(*parts, strict=True)]


def _columns(x: np.ndarray, features: tuple[Feature, ...]) -> list[np.ndarray]:
    if not features:
        flat = x.reshape(len(x), -1)
        return [flat.mean(axis=1), flat.std(axis=1)]
    return [
        np.array([_category(feature, value) for value in x[:, place]], object)
        if feature.kind is Kind.CATEGORICAL
        else x[:, place]
        for place, feature in enumerate(features)
    ]


def _category(feature: Feature, code: float) -> str:
    """The name behind a code: codes of two versions need not agree."""
    place = int(code)
    return feature.categories[place] if 0 <= place < len(feature.categories) else str(place)


def _keys(x: np.ndarray, named: list[np.ndarray], features: tuple[Feature, ...]) -> list[bytes]:
    if not any(feature.kind is Kind.CATEGORICAL for feature in features):
        return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in np.ascontiguousarray(x)]
    rows = zip(*(column.tolist() for column in named), strict=True)
    return [hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in rows]


def _require_same_features(before: Dataset, after: Dataset) -> None:
    names = [tuple(feature.name for feature in data.schema.features) for data in (before, after)]
    if before.schema.shape != after.schema.shape or names[0] != names[1]:
        missing = sorted(set(names[0]) ^ set(names[1]))[:5]
        raise UsageError(
            f"{before.name} and {after.name} have other features: "
            + (", ".join(missing) or f"{before.schema.shape} and {after.schema.shape}")
            + ".",
            expected="two versions with the same features",
        )
