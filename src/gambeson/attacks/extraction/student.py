"""The student: what an attacker trains on the answers that he bought."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.attacks.extraction.base import Theft
from gambeson.attacks.extraction.boosted import fit_trees
from gambeson.attacks.surrogate import Surrogate, default_network
from gambeson.core.errors import InsufficientEvidence, ModelError, Unavailable, UsageError
from gambeson.models.model import Model, ModelInfo
from gambeson.models.torch_training import seeded

BATCH = 64
_PEAK = 3e-3
_SHIFT, _STRETCH, _TURN = 0.04, 0.04, 0.08
"""Of half a picture's side, of its size, in radians: what leaves the answer to most pictures as it was."""


def learn(theft: Theft, x: Tensor, answers: Tensor, *, updates: int | None = None) -> Model:
    """Fit what the attacker trains.

    Args:
        theft: Student, classes, seed.
        x: (n, *shape) float32.
        answers: (n, classes) float32, each row a distribution.
        updates: Of a network; those of the theft unless given.

    Raises:
        InsufficientEvidence: There is no answer to learn from.
        UsageError: The student is unknown, or cannot tell so many classes apart.
        ModelError: Training diverged.
        Unavailable: Trees need ``gambeson[sklearn]``.
    """
    if theft.student == "trees":
        _require_answers(x, answers, theft.classes)
        return fit_trees(x.numpy(), answers.numpy(), theft.schema, seed=theft.seed.child("student").integer())
    if theft.student != "network":
        raise UsageError(f"Unknown student {theft.student!r}.", expected="network or trees")
    return learn_network(theft, x, answers, updates=updates)


def learn_network(
    theft: Theft,
    x: Tensor,
    answers: Tensor,
    *,
    updates: int | None = None,
    build: Callable[[], nn.Module] | None = None,
) -> Surrogate:
    """Fit a network, ``build()`` or the default one: one rise and fall of the step, half of the pictures moved.

    Raises:
        InsufficientEvidence, UsageError, ModelError: As for ``learn``.

    Source: Smith & Topin 2019, Super-convergence, arXiv:1708.07120, for the steps; that answers about moved pictures
    need not be bought is the observation of Jagielski et al. 2020, arXiv:1909.01838, section 4.
    """
    _require_answers(x, answers, theft.classes)
    seed = theft.seed.child("student").integer()
    with seeded(seed):
        network = (build or (lambda: default_network(theft.schema, theft.classes)))().train()
        _require_classes(network, x, theft.classes)
        _descend(network, x, answers, theft.updates if updates is None else updates, theft.schema.is_image)
    info = ModelInfo("copy", "torch", theft.schema.shape, theft.classes, "logits")
    return Surrogate(network.eval().requires_grad_(False), info)


def choose_student(theft: Theft, x: Tensor, answers: Tensor) -> str:
    """``"trees"`` where the answers are about rows of a table and boosting foretells more of a fifth of them.

    The fifth is of the attacker's own answers, so that nothing is learnt from the inputs that a copy is measured on.
    """
    known = len(x) * 4 // 5
    if not theft.schema.features or known < 2:
        return "network"
    right = {}
    for student in ("network", "trees"):
        try:
            copy = learn(replace(theft, student=student), x[:known], answers[:known])
        except Unavailable:
            continue
        said = torch.from_numpy(copy.scores(x[known:].numpy())).argmax(1)
        right[student] = int((said == answers[known:].argmax(1)).sum())
    return max(right, key=lambda student: right[student])


def _descend(network: nn.Module, x: Tensor, answers: Tensor, updates: int, picture: bool) -> None:
    """So many steps over the shuffled answers; draws from torch's generator."""
    optimizer = torch.optim.Adam(network.parameters(), lr=_PEAK, fused=True)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, _PEAK, total_steps=max(updates, 20), pct_start=0.1)
    rows = min(BATCH, len(x))
    order = torch.cat([torch.randperm(len(x)) for _ in range(math.ceil(updates * rows / len(x)))])
    for chosen in torch.split(order[: updates * rows], rows):
        batch = x[chosen]
        if picture:
            half = len(batch) // 2
            batch = torch.cat([moved(batch[:half]), batch[half:]])
        loss = -(answers[chosen] * network(batch).log_softmax(1)).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        pace.step()
    if not bool(torch.isfinite(loss)):
        raise ModelError("Training the copy diverged: its loss is no number.")


def moved(x: Tensor) -> Tensor:
    """Pictures (n, C, H, W), each shifted, stretched and turned a little; draws from torch's generator."""
    shift, stretch, turn = 2 * torch.rand(3, len(x), 2) - 1
    angle, size = _TURN * turn[:, 0], 1 + _STRETCH * stretch[:, 0]
    cosine, sine = size * angle.cos(), size * angle.sin()
    rows = [
        torch.stack([cosine, -sine, _SHIFT * shift[:, 0]], 1),
        torch.stack([sine, cosine, _SHIFT * shift[:, 1]], 1),
    ]
    where = F.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return F.grid_sample(x, where, padding_mode="border", align_corners=False)


def _require_answers(x: Tensor, answers: Tensor, classes: int) -> None:
    if len(x) < 2:
        raise InsufficientEvidence(
            f"There are {len(x)} answers to train a copy on.", remedy="give the attacker more queries"
        )
    if answers.shape != (len(x), classes):
        raise UsageError(
            f"The answers have the shape {tuple(answers.shape)}.", expected=f"({len(x)}, {classes})"
        )


def _require_classes(network: nn.Module, x: Tensor, classes: int) -> None:
    """Refuse a network that answers with another number of classes."""
    with torch.no_grad():
        shape = tuple(network.eval()(x[:2]).shape)
    network.train()
    if shape != (2, classes):
        raise UsageError(
            f"The surrogate answers two inputs with the shape {shape}; the model has {classes} classes.",
            expected=f"(2, {classes})",
            remedy="give it one output for each class of the model",
        )
