"""The attacker's view of a model: limited to the access granted, every query counted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gambeson.core.errors import AccessDenied, BudgetExhausted
from gambeson.core.threat import Access
from gambeson.models.passes import Gradient, Loss, Passes

Observer = Callable[[Tensor, Tensor, Tensor | None], None]
"""Sees every query: inputs (m, *shape), scores (m, classes) and ``of``, whatever the attacker is shown."""


class Oracle:
    """Answers labels, scores or gradients of a batch of samples under attack.

    A query has one row per sample, or any number of rows with ``of`` telling which sample each belongs to.

    Args:
        passes: Runs the model.
        access: The most that is answered.
        rows: Number of samples.
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
        observe: Observer = lambda x, scores, of: None,
    ) -> None:
        self._passes = passes
        self._observe = observe
        self.access = access
        self.budget = budget
        self.queries = torch.zeros(rows, dtype=torch.int64)
        self.overspent = False

    @property
    def left(self) -> Tensor:
        """Queries that each sample has left, (rows,) int64; very many where there is no budget."""
        most = torch.iinfo(torch.int64).max if self.budget is None else self.budget
        return most - self.queries

    def labels(self, x: Tensor, of: Tensor | None = None) -> Tensor:
        """Predicted classes, (m,) int64.

        Args:
            x: (m, *shape), one row per sample unless ``of`` is given.
            of: (m,) the sample that each row belongs to.

        Raises:
            BudgetExhausted: A sample has no query left.
            ModelError: The model answered with something unusable.
        """
        return self._query(Access.LABELS, x, of).argmax(1)

    def scores(self, x: Tensor, of: Tensor | None = None) -> Tensor:
        """Logits or log-probabilities, (m, classes).

        Args:
            x: (m, *shape), one row per sample unless ``of`` is given.
            of: (m,) the sample that each row belongs to.

        Raises:
            AccessDenied: Only labels are granted.
            BudgetExhausted: A sample has no query left.
            ModelError: The model answered with something unusable.
        """
        return self._query(Access.SCORES, x, of)

    def gradient(self, x: Tensor, loss: Loss, *rows: Tensor, of: Tensor | None = None) -> Gradient:
        """Per-row loss, scores and the gradient of the loss at ``x``.

        Args:
            x: (m, *shape), one row per sample unless ``of`` is given.
            loss: ``loss(scores, *rows) -> (m,)``.
            rows: Tensors with m rows that the loss needs.
            of: (m,) the sample that each row belongs to.

        Raises:
            AccessDenied: Gradients are not granted.
            BudgetExhausted: A sample has no query left.
            ModelError: The model cannot be differentiated or answered with something unusable.
        """
        self._charge(Access.GRADIENT, x, of)
        answer = self._passes.gradient(x, loss, *rows)
        self._observe(x, answer.scores, of)
        return answer

    def select(self, keep: Tensor) -> None:
        """Go on with the samples ``keep`` (indices) only."""
        self.queries = self.queries[keep]

    def _query(self, needed: Access, x: Tensor, of: Tensor | None) -> Tensor:
        self._charge(needed, x, of)
        scores = self._passes.scores(x)
        self._observe(x, scores, of)
        return scores

    def _charge(self, needed: Access, x: Tensor, of: Tensor | None) -> None:
        if needed > self.access:
            raise AccessDenied(
                f"The attack asked for {needed}; its threat model grants {self.access}.",
                remedy=f"declare access={needed}, or use an attack that needs no more than {self.access}",
            )
        rows = len(self.queries)
        if len(x) != (rows if of is None else len(of)):
            raise ValueError(f"{len(x)} rows queried for {rows if of is None else len(of)} samples")
        asked = 1 if of is None else torch.bincount(of.cpu(), minlength=rows)
        if self.budget is not None and bool((self.queries + asked > self.budget).any()):
            self.overspent = True
            raise BudgetExhausted(f"The budget of {self.budget} queries per sample is spent.")
        self.queries += asked
