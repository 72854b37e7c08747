"""What a model says about every record of a pool, as log-probabilities; every query counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from gambeson.attacks.privacy.pool import Pool
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes


def log_probabilities(
    passes: Passes, pool: Pool, *, budget: int | None = None, report: Callable[[int], None] = lambda n: None
) -> np.ndarray:
    """One query for each record.

    Args:
        passes: The model.
        pool: The records.
        budget: Queries that the attacker has for each record.
        report: Called with the number of records just scored.

    Returns:
        (n, classes) float64, each row's exponentials summing to 1.

    Raises:
        BudgetExhausted: The budget is below 1.
        ModelError: The model answered with something unusable.
    """
    parts = []
    for x, _ in pool.batches():
        oracle = Oracle(passes, Access.SCORES, rows=len(x), budget=budget)
        scores = oracle.scores(torch.from_numpy(x).to(passes.device))
        parts.append(scores.double().log_softmax(1).cpu().numpy())
        report(len(x))
    return np.concatenate(parts)
