"""The records that membership checks ask about: drawn alike, so that their figures can be compared."""

from __future__ import annotations

from gambeson.attacks.privacy.pool import Pool, draw_pool
from gambeson.audit.base import CheckContext
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import Split

_FEWEST = 20
"""Members, and non-members, below which no figure would mean anything."""


def candidate_pool(context: CheckContext) -> Pool:
    """Members from the training split, non-members from the audited one; the same in every check of an audit.

    Raises:
        InsufficientEvidence: No training split, too few records, or labels that the model does not know.
    """
    members, nonmembers = _training_split(context), context.data.split(context.split)
    pool = draw_pool(
        members, nonmembers, context.effort.records, Seed(context.seed.value).child("membership records")
    )
    m, n = len(pool.member_rows), len(pool.nonmember_rows)
    if min(m, n) < _FEWEST:
        overlap = f" ({pool.removed} rows of {context.split!r} are also in the training split)"
        raise InsufficientEvidence(
            f"There are {m} training records and {n} others{overlap if pool.removed else ''}.",
            expected=f"at least {_FEWEST} of each",
            remedy="give more records that the model was not trained on",
        )
    classes = context.model.info.classes
    if pool.labels.min() < 0 or pool.labels.max() >= classes:
        raise InsufficientEvidence(
            f"The records have labels from {pool.labels.min()} to {pool.labels.max()}.",
            expected=f"0 to {classes - 1}, the classes of {context.model.info.name}",
            remedy="audit the model on the data that it was trained for",
        )
    return pool


def _training_split(context: CheckContext) -> Split:
    name = context.train_split
    if name is None or name not in context.data.splits:
        missing = (
            "no training split was named" if name is None else f"{context.data.name} has no split {name!r}"
        )
        raise InsufficientEvidence(
            f"The training records of the model are not known: {missing}.",
            remedy="give the data with its training split and name it with --train-split",
        )
    if name == context.split:
        raise InsufficientEvidence(
            f"The split {name!r} is named as training data and as audited data.",
            expected="two splits, one that the model was trained on and one that it was not",
        )
    return context.data.split(name)
