"""Inputs that an attacker holds: what he trains a copy of the model on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gambeson.audit.base import CheckContext
from gambeson.core.errors import InsufficientEvidence

_FEWEST = 10
"""For each class."""
_REMEDY = "give data with a training split"


def own_inputs(
    context: CheckContext, audited: np.ndarray, most: int, *, remedy: str = _REMEDY
) -> tuple[Tensor, Tensor, str]:
    """Inputs (n, *shape) in random order, their true labels (n,), and where they come from.

    Rows of the training split where there is one, else those of the audited split that are not audited.

    Args:
        context: Of the running check; its seed draws them.
        audited: Rows of the audited split that the check measures on.
        most: Inputs wanted.
        remedy: What to do where there are too few.

    Raises:
        InsufficientEvidence: There are too few.
    """
    splits, name = context.data.splits, context.train_split or "train"
    if name not in splits or name == context.split:
        name = context.split
    free = np.arange(len(splits[name]))
    if name == context.split:
        free = np.setdiff1d(free, audited)
    if len(free) < _FEWEST * context.model.info.classes:
        raise InsufficientEvidence(
            f"There are {len(free)} inputs to train a copy of the model on.",
            expected=f"at least {_FEWEST} for each of the {context.model.info.classes} classes",
            remedy=remedy,
        )
    rng = context.seed.child("own").generator()
    chosen = np.sort(rng.choice(free, min(len(free), most), replace=False))
    x, y = splits[name].take(chosen)
    order = torch.from_numpy(rng.permutation(len(chosen)))
    return torch.from_numpy(x)[order], torch.from_numpy(y)[order], f"the split {name!r}"
