"""Distillation: a network is trained on a model's answers to inputs that the attacker holds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gambeson.attacks.surrogate import Surrogate, train_surrogate
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a model.

    Attributes:
        model: The network.
        queries: Answers that it was trained on.
        access: What of an answer was used: labels or scores.
    """

    model: Surrogate
    queries: int
    access: Access


def distil(
    passes: Passes, x: Tensor, schema: Schema, access: Access, *, queries: int, updates: int, seed: int
) -> Copy:
    """Ask about the first ``queries`` inputs and train the default network on the answers.

    Args:
        passes: The model.
        x: (n, *shape) float32, the attacker's inputs, in the order in which he asks about them.
        schema: Shape and bounds.
        access: ``LABELS`` trains on the predicted class, ``SCORES`` on the probabilities of all classes.
        queries: Most answers.
        updates: Optimiser steps.
        seed: Of initial weights and shuffling.

    Raises:
        ModelError: The model answered with something unusable, or training diverged.

    Source: Orekondy et al. 2019 (Knockoff Nets), arXiv:1812.02766, with random choice of inputs; from labels alone:
    Correia-Silva et al. 2018 (Copycat CNN), arXiv:1806.05476.
    """
    asked = x[:queries]
    oracle = Oracle(passes, access, rows=len(asked), budget=1)
    there = asked.to(passes.device)
    answers = oracle.labels(there) if access is Access.LABELS else oracle.scores(there).softmax(1)
    classes = passes.model.info.classes
    copy = train_surrogate(asked, answers.cpu(), schema, classes, updates=updates, seed=seed)
    return Copy(copy, int(oracle.queries.sum()), access)


def classes_of(passes: Passes, x: Tensor) -> Tensor:
    """(n,) int64 on the CPU: the class that a model gives each input, for comparing it with its copies."""
    return passes.scores(x.to(passes.device)).argmax(1).cpu()
