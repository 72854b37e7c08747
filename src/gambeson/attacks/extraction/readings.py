"""What an answer says of the logits: an interval for each, by how answers are rounded and how many are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MOST_DECIMALS = 5
"""Float32 does not tell finer rounding from none."""
_ENOUGH = 20
"""Answers strictly between 0 and 1 that must agree before rounding is believed."""
_HIDDEN = -60.0
"""Log-probabilities below are zeros that were cut before the logarithm."""
_BITS = 2.0**-22
"""Relative error of a float32 answer that went through an exponential and a logarithm."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How exact answers are.

    Attributes:
        probabilities: Whether the model answers with probabilities; else with logits.
        decimals: To how many decimals it rounds them; ``None`` where float32 shows no rounding.
        shown: Classes that it names in an answer; ``None`` for all.
    """

    probabilities: bool
    decimals: int | None = None
    shown: int | None = None

    @property
    def exact(self) -> bool:
        """Whether answers are neither rounded nor cut."""
        return self.decimals is None and self.shown is None

    def __str__(self) -> str:
        what = "probabilities" if self.probabilities else "logits"
        rounding = "float32" if self.decimals is None else f"rounded to {self.decimals} decimals"
        return f"{what}, {rounding}" + (f", the {self.shown} largest" if self.shown else "")


@dataclass(frozen=True, slots=True)
class Reading:
    """Logits (n, classes) up to a number common to a row: each within ``middle`` ± ``half``; infinite: not said."""

    middle: np.ndarray
    half: np.ndarray


def detect(scores: np.ndarray, *, probabilities: bool) -> Precision:
    """How exact answers are, told from the answers alone.

    Args:
        scores: (n, classes) logits, or log-probabilities with zeros cut at a tiny number.
        probabilities: Whether the model gave probabilities.
    """
    values = np.exp(scores.astype(np.float64)) if probabilities else scores.astype(np.float64)
    visible = scores > _HIDDEN if probabilities else np.ones(scores.shape, bool)
    telling = values[visible & (values != 0) & ~np.isclose(values, 1)]
    decimals = _decimals(telling) if len(telling) >= _ENOUGH else None
    cut = probabilities and _is_cut(np.where(visible, values, 0.0), decimals)
    return Precision(probabilities, decimals, int(visible.sum(1).max()) if cut else None)


def _is_cut(p: np.ndarray, decimals: int | None) -> bool:
    """Whether classes are missing that rounding to zero does not explain."""
    most, classes = int((p > 0).sum(1).max()), p.shape[1]
    if not 2 <= most < classes:
        return False
    unit = 0.0 if decimals is None else 10.0**-decimals
    missing, least = 1 - p.sum(1).min(), p[p > 0].min()
    return decimals is None or bool(missing > classes * unit or least > 10 * unit)


def _decimals(values: np.ndarray) -> int | None:
    for decimals in range(1, _MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        room = 0.01 + 4 * _BITS * np.abs(scaled)
        if (room < 0.2).all() and (np.abs(scaled - np.rint(scaled)) <= room).all():
            return decimals
    return None


def read(scores: np.ndarray, precision: Precision) -> Reading:
    """Intervals for the logits behind answers (n, classes): as for ``detect``.

    Rounding is to the nearest; what the model's own arithmetic adds is not in them.
    """
    given = scores.astype(np.float64)
    if not precision.probabilities:
        room = 0.0 if precision.decimals is None else 0.5 * 10.0**-precision.decimals
        return Reading(given, room + _BITS * (1 + np.abs(given)))
    if precision.decimals is None:
        return Reading(given, np.where(given > _HIDDEN, _BITS * (1 + np.abs(given)), np.inf))
    p = np.round(np.exp(given), precision.decimals)
    room = 0.5 * 10.0**-precision.decimals
    known = p > room
    low, high = np.log(np.where(known, p - room, 1.0)), np.log(np.where(known, p + room, 1.0))
    return Reading(np.where(known, (low + high) / 2, np.log(room)), np.where(known, (high - low) / 2, np.inf))
