"""The candidate records as plain columns, for attacks and baselines that look at the records themselves."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.ridge import fit_ridge
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc

_MOST = 512
"""Columns kept; larger records are projected at random (Johnson & Lindenstrauss 1984)."""
_FOLDS = 5


def features_of(pool: Pool, seed: Seed) -> np.ndarray:
    """(n, d) float32, one row for each record, d at most 512.

    Args:
        pool: The records.
        seed: Draws the projection, where one is needed.
    """
    projection, parts = None, []
    for x, _ in pool.batches():
        flat = x.reshape(len(x), -1)
        if flat.shape[1] > _MOST and projection is None:
            rng = seed.child("projection").generator()
            projection = rng.normal(0, _MOST**-0.5, (flat.shape[1], _MOST)).astype(np.float32)
        parts.append(flat if projection is None else flat @ projection)
    return np.concatenate(parts)


def told_apart_without_the_model(pool: Pool, features: np.ndarray, seed: Seed) -> Measurement:
    """AUC of a classifier that sees the records and never the model; 0.5 where the splits are alike.

    A linear classifier on the features, their squares and the label, trained on four fifths of the records and
    measured on the rest, each fifth in turn. Whatever it finds no membership attack can claim.

    Source: Das et al. 2024, Blind baselines beat membership inference attacks, arXiv:2406.16201.

    Raises:
        InsufficientEvidence: Fewer than two members or non-members.
    """
    own = np.eye(int(pool.labels.max()) + 1, dtype=np.float32)[pool.labels]
    columns = np.concatenate([features, features**2, own], axis=1)
    draws, scores = seed.child("folds").generator().random(len(pool)), np.empty(len(pool))
    order = np.lexsort(
        (draws, pool.truth)
    )  # each fold holds its share of members, or the intercept would tell
    for fold in range(_FOLDS):
        rows, others = order[fold::_FOLDS], np.delete(order, np.s_[fold::_FOLDS])
        scores[rows] = fit_ridge(columns[others], pool.truth[others].astype(float)).predict(columns[rows])
    return auc(scores[pool.truth], scores[~pool.truth], name="auc_without_model", better="lower")
