"""Trains the networks that rows are judged by: on all rows, in halves, on trusted rows alone, and confused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from gambeson.attacks.poisoning.base import Build
from gambeson.attacks.poisoning.pupil import BATCH, answers, passes, teach
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.base import Inspection, log_softmax
from gambeson.defenses.poisoning.networks import inspector
from gambeson.models.torch_features import features_of
from gambeson.models.torch_training import seeded

FOLDS = 2
STAGES = 3 + FOLDS
"""Networks that are trained."""
_CONFUSING = 400
"""Steps with random labels."""
_WEIGHT = 4.0
"""Of the confusing rows in the loss, relative to the suspected ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the networks of an inspection are trained.

    Attributes:
        seed: Of everything that is drawn.
        epochs: Passes over the data.
        build: Makes the network; the default one of the schema unless given.
        report: Called after each network.
    """

    seed: Seed
    epochs: int = 4
    build: Build | None = None
    report: Callable[[str], None] = lambda said: None


def inspect(
    x: np.ndarray,
    y: np.ndarray,
    trusted: tuple[np.ndarray, np.ndarray],
    schema: Schema,
    plan: Plan,
) -> Inspection:
    """Train the networks and collect what they say of every row.

    Args:
        x: (n, *shape) float32 rows, those for calibration among them.
        y: (n,) int64 labels.
        trusted: Other rows that are known to be clean, and their labels.
        schema: Shape, bounds and classes.
        plan: How to train.

    Raises:
        ModelError: A training diverged.
        Unavailable: The network gives no features.
    """
    build = plan.build or (lambda: inspector(schema))
    losses: list[np.ndarray] = []
    count = passes(len(y), plan.epochs)
    every = max(1, count // 8)

    def watch(number: int, module: nn.Module) -> None:
        if number % every == 0 or number == count - 1:
            losses.append(_losses(module, x, y))

    main = teach(x, y, schema, seed=plan.seed.child("all"), epochs=plan.epochs, build=build, watch=watch)
    plan.report("network on all rows")
    features, logits = (
        part.numpy() for part in features_of(main.module, torch.from_numpy(np.ascontiguousarray(x)))
    )
    held_out = _held_out(x, y, schema, plan, build)
    alone = teach(*trusted, schema, seed=plan.seed.child("trusted"), epochs=plan.epochs, build=build)
    plan.report("network on trusted rows")
    confused = _confused(main.module, x, y, trusted, plan.seed.child("confused"))
    plan.report("confused network")
    return Inspection(
        x=x,
        y=y,
        schema=schema,
        x_trusted=np.ascontiguousarray(trusted[0]),
        y_trusted=trusted[1],
        module=main.module,
        features=features,
        logits=logits,
        losses=np.stack(losses),
        held_out=held_out,
        trusted_answers=log_softmax(answers(alone.module, x)),
        confused=confused,
        seed=plan.seed,
    )


def _losses(module: nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    said = torch.from_numpy(answers(module, x))
    return np.asarray(F.cross_entropy(said, torch.from_numpy(y), reduction="none").numpy())


def _held_out(x: np.ndarray, y: np.ndarray, schema: Schema, plan: Plan, build: Build) -> np.ndarray:
    """Log-probabilities by networks trained on the other halves."""
    fold = plan.seed.child("folds").generator().permutation(len(y)) % FOLDS
    out = np.empty((len(y), len(schema.classes)), np.float32)
    for number in range(FOLDS):
        seed, others = plan.seed.child("fold", str(number)), fold != number
        pupil = teach(x[others], y[others], schema, seed=seed, epochs=plan.epochs, build=build)
        out[~others] = log_softmax(answers(pupil.module, x[~others]))
        plan.report(f"network on half {number + 1}")
    return out


def _confused(
    module: nn.Module, x: np.ndarray, y: np.ndarray, trusted: tuple[np.ndarray, np.ndarray], seed: Seed
) -> np.ndarray:
    """Mean log-probabilities late in a training that gives trusted rows wrong labels, drawn anew at every step."""
    network = copy.deepcopy(module).requires_grad_(True).train()
    inputs, labels = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y)
    clean, truth = torch.from_numpy(np.ascontiguousarray(trusted[0])), torch.from_numpy(trusted[1])
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
    looks: list[np.ndarray] = []
    with seeded(seed.integer()):
        classes = int(network(clean[:2]).shape[1])
        for step in range(_CONFUSING):
            rows = torch.randint(len(labels), (BATCH,))
            confusing = torch.randint(len(truth), (BATCH,))
            wrong = (truth[confusing] + torch.randint(1, classes, (BATCH,))) % classes
            said = network(torch.cat([inputs[rows], clean[confusing]]))
            loss = F.cross_entropy(said[:BATCH], labels[rows])
            loss = (loss + _WEIGHT * F.cross_entropy(said[BATCH:], wrong)) / (1 + _WEIGHT)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            if step >= _CONFUSING // 2 and (step + 1) % (_CONFUSING // 8) == 0:
                looks.append(log_softmax(answers(network.eval(), x)))
                network.train()
    return np.asarray(np.mean(looks, axis=0), np.float32)
