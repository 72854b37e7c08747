"""The attacker's view of a model: limited to the access granted, every query counted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gambeson.core.errors import AccessDenied, BudgetExhausted
from gambeson.core.threat import Access
from gambeson.models.passes import Gradient, Loss, Passes

Observer = Callable[[Tensor, Tensor], None]
"""Sees every query: inputs (n, *shape) and scores (n, classes), whatever the attacker is shown."""


class Oracle:
    """Answers labels, scores or gradients of a batch of samples under attack; one row per sample.

    Args:
        passes: Runs the model.
        access: The most that is answered.
        rows: Number of samples; every query has one row for each.
        budget: Most queries per sample, or ``None``.
        observe: Sees every query beside the true scores.

    Attributes:
        queries: (rows,) int64, queries spent so far; a gradient counts as one query.
        overspent: True once a query beyond the budget was asked for.
    """

    def __init__(
        self,
        passes: Passes,
        access: Access,
        *,
        rows: int,
        budget: int | None = None,
        observe: Observer = lambda x, scores: None,
    ) -> None:
        self._passes = passes
        self._observe = observe
        self.access = access
        self.budget = budget
        self.queries = torch.zeros(rows, dtype=torch.int64)
        self.overspent = False

    def labels(self, x: Tensor) -> Tensor:
        """Predicted classes, (n,) int64.

        Raises:
            BudgetExhausted: A sample has no query left.
            ModelError: The model answered with something unusable.
        """
        return self._query(Access.LABELS, x).argmax(1)

    def scores(self, x: Tensor) -> Tensor:
        """Logits or log-probabilities, (n, classes).

        Raises:
            AccessDenied: Only labels are granted.
            BudgetExhausted: A sample has no query left.
            ModelError: The model answered with something unusable.
        """
        return self._query(Access.SCORES, x)

    def gradient(self, x: Tensor, loss: Loss, *rows: Tensor) -> Gradient:
        """Per-sample loss, scores and the gradient of the loss at ``x``.

        Args:
            x: (n, *shape), one row per sample.
            loss: ``loss(scores, *rows) -> (n,)``.
            rows: Tensors with n rows that the loss needs.

        Raises:
            AccessDenied: Gradients are not granted.
            BudgetExhausted: A sample has no query left.
            ModelError: The model cannot be differentiated or answered with something unusable.
        """
        self._charge(Access.GRADIENT, x)
        answer = self._passes.gradient(x, loss, *rows)
        self._observe(x, answer.scores)
        return answer

    def select(self, keep: Tensor) -> None:
        """Go on with the samples ``keep`` (indices) only."""
        self.queries = self.queries[keep]

    def _query(self, needed: Access, x: Tensor) -> Tensor:
        self._charge(needed, x)
        scores = self._passes.scores(x)
        self._observe(x, scores)
        return scores

    def _charge(self, needed: Access, x: Tensor) -> None:
        if needed > self.access:
            raise AccessDenied(
                f"The attack asked for {needed}; its threat model grants {self.access}.",
                remedy=f"declare access={needed}, or use an attack that needs no more than {self.access}",
            )
        if len(x) != len(self.queries):
            raise ValueError(f"{len(x)} rows queried for {len(self.queries)} samples")
        if self.budget is not None and bool((self.queries >= self.budget).any()):
            self.overspent = True
            raise BudgetExhausted(f"The budget of {self.budget} queries per sample is spent.")
        self.queries += 1
