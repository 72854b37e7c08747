"""Loading a skops file: only types on a list, and trees whose indices stay inside the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from gambeson.core.errors import IntegrityError, Refused, missing_extra
from gambeson.models.model_file import ModelFile, damaged

# Beside what skops itself trusts. Classes only: a function of these packages could be put into a
# FunctionTransformer and called with the data (numpy.testing alone has one that executes its argument).
_TRUSTED = re.compile(
    r"numpy\.dtype"
    r"|scipy\.interpolate\._interpolate\.interp1d"
    r"|sklearn\.tree\._tree\.Tree"
    r"|sklearn\.ensemble\._hist_gradient_boosting\.predictor\.TreePredictor"
    r"|sklearn\._loss\.(_loss|link|loss)\.[A-Z]\w*"
    r"|sklearn\.neural_network\._stochastic_optimizers\.(Adam|SGD)Optimizer"
    r"|sklearn\.calibration\._(CalibratedClassifier|SigmoidCalibration)"
    r"|sklearn\.gaussian_process\.kernels\.[A-Z]\w*"
    r"|sklearn\.gaussian_process\._gpc\._BinaryGaussianProcessClassifierLaplace"
    r"|sklearn\.utils\._bunch\.Bunch"
    r"|sklearn\.preprocessing\._label\.LabelBinarizer"
)


def load_estimator(file: ModelFile) -> Any:
    """The object in a skops file.

    Raises:
        Refused: It holds types that are not trusted; the message lists them.
        IntegrityError: It is truncated or damaged, or a tree points outside itself.
        Unavailable: ``skops`` is missing.
    """
    try:
        import skops.io
    except ImportError:
        raise missing_extra("skops", "sklearn") from None
    try:
        unknown = skops.io.get_untrusted_types(data=file.data)
    except Exception as error:
        raise damaged(file.name, "a skops archive", error) from error
    refused = [name for name in unknown if not _TRUSTED.fullmatch(name)]
    if refused:
        raise Refused(
            f"{file.name!r} holds types that are not trusted: {', '.join(refused)}.",
            expected="estimators and transformers of scikit-learn without functions or classes of your own",
            remedy="replace them by scikit-learn's own, convert the model to ONNX, "
            "or wrap it: python:package.module:function",
        )
    try:
        estimator = skops.io.loads(file.data, trusted=unknown)
    except Exception as error:
        raise damaged(file.name, "a skops archive", error) from error
    for part in _parts(estimator, set()):
        _check_part(file.name, part)
    return estimator


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    """Every object of scikit-learn below a value."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | np.number | None):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        children: list[Any] = list(value.values())
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        children = list(np.asarray(value, object).ravel()) if isinstance(value, np.ndarray) else list(value)
    else:
        children = list(getattr(value, "__dict__", {}).values())
        yield value
    for child in children:
        yield from _parts(child, seen)


def _check_part(name: str, part: Any) -> None:
    """scikit-learn follows child and feature indices without checking them: a bad one escapes."""
    width = getattr(part, "n_features_in_", 0)
    if hasattr(part, "tree_"):
        tree = part.tree_
        _check_nodes(name, tree.children_left, tree.children_right, tree.feature, width)
    for predictor in _flat(getattr(part, "_predictors", ())):
        nodes = predictor.nodes
        inner = nodes["is_leaf"] == 0
        left, right = (np.where(inner, nodes[side].astype(np.int64), -1) for side in ("left", "right"))
        _check_nodes(name, left, right, nodes["feature_idx"], width)
        by_category = inner & (nodes["is_categorical"] != 0)
        _require(name, bool((nodes["bitset_idx"][by_category] < len(predictor.raw_left_cat_bitsets)).all()))
    if type(part).__module__ in ("sklearn.ensemble._forest", "sklearn.ensemble._gb"):
        # these hand their own input to the trees unchecked
        trees = _flat(getattr(part, "estimators_", ()))
        _require(name, all(tree.n_features_in_ == width for tree in trees))


def _flat(value: Any) -> list[Any]:
    return list(np.asarray(value, object).ravel())


def _check_nodes(name: str, left: np.ndarray, right: np.ndarray, feature: np.ndarray, width: int) -> None:
    """Inner nodes (child not -1) point forward inside the tree and read existing features."""
    inner = left != -1
    place = np.flatnonzero(inner)
    forward = all(((ends[inner] > place) & (ends[inner] < len(ends))).all() for ends in (left, right))
    _require(name, bool(forward and ((feature[inner] >= 0) & (feature[inner] < width)).all()))


def _require(name: str, sound: bool) -> None:
    if not sound:
        raise IntegrityError(
            f"A decision tree in {name!r} points outside itself: following it would read foreign memory.",
            expected="a tree as scikit-learn fitted it",
            remedy="get the file again from where it was made; do not use this one",
        )
