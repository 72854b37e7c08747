"""Data that scikit-learn brings along: ``builtin:digits`` and ``builtin:breast_cancer``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gambeson.core.errors import UsageError, missing_extra
from gambeson.core.reproduce import Seed, digest_bytes
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind, Schema
from gambeson.data.sources.array_rows import ArrayRows
from gambeson.data.sources.declaring import declare
from gambeson.data.sources.features import make_features, require_columns
from gambeson.data.sources.options import DataOptions, nearest
from gambeson.data.sources.splits import RowSplit, divide
from gambeson.data.validation import survey

_TEST_FRACTION = 0.3


def open_builtin(name: str, options: DataOptions) -> Dataset:
    """Open a set of scikit-learn, divided 70/30 into ``train`` and ``test`` class by class, always alike.

    Args:
        name: ``digits`` (images (1, 8, 8) in [0, 1]) or ``breast_cancer`` (30 features, each bounded by its
            range in the data).
        options: Only ``freeze`` and ``relations``, and only for tables.

    Raises:
        UsageError: An unknown name or an option that means nothing here.
        Unavailable: scikit-learn is not installed.
    """
    if name not in _MAKERS:
        raise UsageError(
            f"There is no built-in data {name!r}.",
            expected=", ".join(f"builtin:{known}" for known in _MAKERS),
            remedy=nearest(name, _MAKERS),
        )
    try:
        import sklearn.datasets  # noqa: F401
    except ImportError:
        raise missing_extra("sklearn", "sklearn") from None
    x, y, schema = _MAKERS[name](options)
    splits = divide(RowSplit.of_all(ArrayRows(x), y), _TEST_FRACTION, Seed(0, ("builtin", name)), name)
    return Dataset(f"builtin:{name}", schema, splits, digest_bytes([x.tobytes(), y.tobytes()]))


def _digits(options: DataOptions) -> tuple[np.ndarray, np.ndarray, Schema]:
    from sklearn.datasets import load_digits

    options.require_only("builtin:digits", ())
    data = load_digits()
    x = np.asarray(data.images[:, None], np.float32) / np.float32(16)
    return x, np.asarray(data.target, np.int64), Schema((1, 8, 8), tuple(map(str, range(10))))


def _breast_cancer(options: DataOptions) -> tuple[np.ndarray, np.ndarray, Schema]:
    from sklearn.datasets import load_breast_cancer

    options.require_only("builtin:breast_cancer", ("freeze", "relations"))
    data = load_breast_cancer()
    x, y = np.asarray(data.data, np.float32), np.asarray(data.target, np.int64)
    names = tuple(map(str, data.feature_names))
    require_columns("builtin:breast_cancer", "freeze", options.freeze, names)
    whole = RowSplit.of_all(ArrayRows(x), y)
    ranges = survey("builtin:breast_cancer", {"": whole}, (len(names),), names=names)
    kinds = [Kind.NUMERIC] * len(names)
    features = make_features(names, kinds, [()] * len(names), ranges, options)
    classes = tuple(map(str, data.target_names))
    schema = Schema((len(names),), classes, float(x.min()), float(x.max()), features)
    return x, y, declare("builtin:breast_cancer", schema, {"": whole}, options)


_MAKERS: dict[str, Callable[[DataOptions], tuple[np.ndarray, np.ndarray, Schema]]] = {
    "digits": _digits,
    "breast_cancer": _breast_cancer,
}
