"""How an evasion check looks at a model: diagnosed first, and through a view where its own gradients mislead."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.attacks.robustness import clean_predictions
from gambeson.attacks.sanity import Cause, diagnose, diagnose_answers
from gambeson.attacks.views import View, see_answers, see_through
from gambeson.audit.base import CheckContext
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

LOOKED_AT = 64
"""Samples behind a diagnosis."""


def choose_right(passes: Passes, samples: Samples, most: int = LOOKED_AT) -> Samples:
    """The first samples that the model classifies correctly, ``most`` at most.

    Raises:
        ModelError: The model answered with something unusable.
    """
    some = samples.select(torch.arange(min(len(samples), 4 * most)))
    right = np.flatnonzero(clean_predictions(passes, some) == some.y.numpy())[:most]
    return some.select(torch.from_numpy(right))


def look_at(context: CheckContext, samples: Samples, space: PerturbationSet, access: Access) -> View:
    """The view that an attacker with this access attacks through.

    Raises:
        Unavailable: The model's answers depend on the batch.
        ModelError: The model answered with something unusable.
    """
    passes, seed = Passes(context.model, context.rows_per_pass), look_seed(context)
    if access < Access.GRADIENT:
        found = diagnose_answers(passes, samples.x[:LOOKED_AT].to(passes.device))
        return see_answers(passes, found, seed)
    right = choose_right(passes, samples)
    x, y = right.x.to(passes.device), right.y.to(passes.device)
    found = diagnose(passes, x, y, space, seed)
    return see_through(passes, found, x, y, space, seed=seed)


def look_seed(context: CheckContext) -> Seed:
    """The same for every check, so that all come to the same diagnosis."""
    return Seed(context.seed.value).child("look")


def in_words(view: View) -> str:
    """A sentence for a finding whose figure was measured through a view; empty for the model as it is."""
    found = view.found
    if found.cause is Cause.NONE:
        return ""
    if found.cause is Cause.RANDOMISED:
        return f" Its answers are random: the figure speaks of {' and '.join(view.means)}, confirmed on fresh draws."
    if not view.trusted:
        return (
            f" Its gradients mislead ({found.cause}) and none could be restored: random search did the work."
        )
    return (
        f" Its own gradients mislead ({found.cause}): the attack followed {' and '.join(view.means) or 'the margin'}, "
        "and every success holds on the model itself."
    )
