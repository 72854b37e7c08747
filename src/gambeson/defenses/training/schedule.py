"""How learning rate and radius move during training, as functions of the share of it that is done."""

from __future__ import annotations

import math

_RISE = 0.25
"""Share of the training during which the learning rate rises."""
_FLOOR = 1e-3
"""Where the learning rate begins and ends, relative to its peak."""


def learning_rate(share: float) -> float:
    """Factor on the peak: up along a line for a quarter of the training, down along a cosine to its end.

    Args:
        share: From 0 at the first step to 1 at the last.

    Source: Smith & Topin 2017, arXiv:1708.07120 (the one-cycle policy).
    """
    if share < _RISE:
        return _FLOOR + (1 - _FLOOR) * share / _RISE
    return _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * (share - _RISE) / (1 - _RISE))) / 2


def radius(share: float, ramp: float) -> float:
    """Factor on eps: along a line from 0 to 1 during the first ``ramp`` of the training, then 1.

    A network that meets the full radius at once may learn nothing at all.

    Args:
        share: From 0 at the first step to 1 at the last.
        ramp: Share of the training; 0 for the full radius from the start.
    """
    return 1.0 if share >= ramp else share / ramp
