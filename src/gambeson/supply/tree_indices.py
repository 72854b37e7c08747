"""Indices of decision trees: a child or feature outside the model makes its library read foreign memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.scanner import Visit

_MOST = 5


def judge_xgboost(visit: Visit, value: Any) -> Iterator[Finding]:
    """Findings on a parsed XGBoost model; nothing where the value is none.

    Args:
        visit: The content that it lies in.
        value: The whole document.
    """
    learner = value.get("learner") if isinstance(value, dict) else None
    if not isinstance(learner, dict) or "gradient_booster" not in learner:
        return
    try:
        features = int(learner["learner_model_param"]["num_feature"])
        booster = learner["gradient_booster"]
        model = booster.get("model") or booster.get("gbtree", {}).get("model", {})
        faults = [
            (number, fault)
            for number, tree in enumerate(model.get("trees", ()))
            if (
                fault := _fault(
                    tree["left_children"], tree["right_children"], tree["split_indices"], features
                )
            )
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield visit.hit("scan.trees.broken", f"{type(error).__name__}: {error}")
        return
    for number, fault in faults[:_MOST]:
        yield visit.hit("scan.trees.index", f"tree {number}: {fault}")


def _fault(left: Sequence[int], right: Sequence[int], features: Sequence[int], width: int) -> str:
    """What is wrong with a tree: leaves have -1 for a child."""
    count = len(left)
    if not count or len(right) != count or len(features) != count:
        return "arrays of different lengths"
    low, high = min(min(left), min(right)), max(max(left), max(right))
    if low < -1 or high >= count:
        return f"a child {high if high >= count else low} of {count} nodes"
    if any((l < 0) != (r < 0) for l, r in zip(left, right, strict=True)):  # noqa: E741
        return "a node with one child"
    inner = [feature for feature, child in zip(features, left, strict=True) if child >= 0]
    if inner and width and not 0 <= min(inner) <= max(inner) < width:
        return f"the feature {max(inner)} of {width}"
    return ""


def judge_lightgbm(visit: Visit, number: int, tree: dict[str, str], width: int) -> Iterator[Finding]:
    """Findings on one tree of a LightGBM model.

    Args:
        visit: The content that it lies in.
        number: Which tree it is.
        tree: Its lines, by key.
        width: Number of features.
    """
    leaves = int(tree["num_leaves"])
    if leaves < 2:
        return
    children = [int(word) for key in ("left_child", "right_child") for word in tree[key].split()]
    features = [int(word) for word in tree["split_feature"].split()]
    inner = leaves - 1
    # A child below 0 is a leaf: ~leaf.
    if len(children) != 2 * inner or len(features) != inner:
        yield visit.hit("scan.trees.index", f"tree {number}: arrays of different lengths")
    elif max(children) >= inner or min(children) < -leaves:
        yield visit.hit(
            "scan.trees.index", f"tree {number}: a child outside of {inner} nodes and {leaves} leaves"
        )
    elif min(features) < 0 or max(features) >= width:
        yield visit.hit("scan.trees.index", f"tree {number}: the feature {max(features)} of {width}")
