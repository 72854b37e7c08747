"""Per-sample losses that attacks increase; all take logits (n, classes) and labels (n,)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_TINY = 1e-12


def margin(scores: Tensor, y: Tensor) -> Tensor:
    """Best other score minus the true class's: above 0 exactly when the sample is misclassified (n,)."""
    other = scores.scatter(1, y[:, None], float("-inf")).amax(1)
    return other - _pick(scores, y)


def cross_entropy(scores: Tensor, y: Tensor) -> Tensor:
    """-log softmax of the true class (n,)."""
    return F.cross_entropy(scores, y, reduction="none")


def dlr(scores: Tensor, y: Tensor) -> Tensor:
    """Difference of logits ratio: the margin over the gap between the best and the third score (n,).

    Invariant to shifting and scaling the logits, so that a model with huge logits does not flatten it.
    With two classes there is no third score and it is the plain margin.

    Source: Croce & Hein 2020, arXiv:2003.01690, eq. 6.
    """
    if scores.shape[1] < 3:
        return margin(scores, y)
    top = scores.topk(3, dim=1).values
    return margin(scores, y) / (top[:, 0] - top[:, 2] + _TINY)


def probability_margin(scores: Tensor, y: Tensor) -> Tensor:
    """Best other class's probability minus the true class's (n,): ascends where the decision is close.

    Source: Xie et al. 2024 (PMA), arXiv:2411.15210, eq. 5.
    """
    return margin(scores.softmax(1), y)


def targeted_margin(scores: Tensor, y: Tensor, target: Tensor) -> Tensor:
    """Target's score minus the true class's (n,)."""
    return _pick(scores, target) - _pick(scores, y)


def targeted_dlr(scores: Tensor, y: Tensor, target: Tensor) -> Tensor:
    """Targeted difference of logits ratio: raises ``target`` above the true class (n,).

    With fewer than four classes it is the plain difference of the two scores.

    Source: Croce & Hein 2020, arXiv:2003.01690, eq. 7.
    """
    difference = targeted_margin(scores, y, target)
    if scores.shape[1] < 4:
        return difference
    top = scores.topk(4, dim=1).values
    return difference / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + _TINY)


def _pick(scores: Tensor, y: Tensor) -> Tensor:
    return scores.gather(1, y[:, None]).squeeze(1)
