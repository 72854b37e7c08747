"""Property inference: was a model trained on the smaller or the larger share of records with a property?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed

SHIFT = 0.2
"""How far each of the two shares lies from the true one."""
_NEAREST = 0.05
"""Neither share comes closer to 0 or 1 than this."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Two shares of records with the property, between which an attacker decides."""

    small: float
    large: float


def shares_around(truth: float) -> Shares:
    """Two shares, 0.2 below and above the true one, kept within [0.05, 0.95]."""
    return Shares(max(truth - SHIFT, _NEAREST), min(truth + SHIFT, 1 - _NEAREST))


def rows_per_model(has: np.ndarray, shares: Shares, most: int) -> int:
    """Rows that every reference model can be trained on, whatever its share, at most ``most``.

    Args:
        has: (n,) bool, which records of a pool have the property.
        shares: The two shares.
        most: Upper limit.
    """
    with_it, without = int(has.sum()), int((~has).sum())
    return int(min(with_it / shares.large, without / (1 - shares.small), most))


def draw_with_share(has: np.ndarray, share: float, rows: int, seed: Seed) -> np.ndarray:
    """(rows,) numbers of records, ascending, of which the share has the property.

    Args:
        has: (n,) bool, which records have it.
        share: In [0, 1].
        rows: How many.
        seed: Draws them.

    Raises:
        InsufficientEvidence: There are not so many of one kind.
    """
    wanted, rng = round(share * rows), seed.generator()
    if wanted > has.sum() or rows - wanted > (~has).sum():
        raise InsufficientEvidence(
            f"Of {len(has)} records {int(has.sum())} have the property; {rows} {share:.0%} of that kind were wanted.",
            expected="enough records of both kinds",
        )
    chosen = [
        rng.choice(np.flatnonzero(kind), count, replace=False)
        for kind, count in ((has, wanted), (~has, rows - wanted))
    ]
    return np.sort(np.concatenate(chosen))


def seems_larger(victim: np.ndarray, small: np.ndarray, large: np.ndarray) -> bool:
    """Whether a model's answers are nearer to those of models trained on the larger share.

    Args:
        victim: (q, classes) log-probabilities of the model in question.
        small: (k, q, classes) the same of the attacker's models with the smaller share.
        large: (k, q, classes) the same with the larger share.

    Source: Suri et al. 2023, Dissecting distribution inference, arXiv:2212.07591, section 4 (the KL divergence attack);
    the game is that of Suri & Evans 2022, arXiv:2109.06024. Deviation: mean divergences are compared, not votes.
    """
    return bool(_divergence(victim, large) < _divergence(victim, small))


def _divergence(victim: np.ndarray, models: np.ndarray) -> float:
    """Mean over queries and models of KL(victim || model)."""
    return float((np.exp(victim) * (victim - models)).sum(axis=-1).mean())
