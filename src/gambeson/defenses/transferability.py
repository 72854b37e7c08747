"""How often an adversarial example of one member of an ensemble fools another one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.core.measurement import Measurement
from gambeson.core.stats import proportion
from gambeson.data.dataset import Split
from gambeson.defenses.training.adversary import Adversary
from gambeson.models.torch_trainee import Trainee

_ATTACK = Adversary(steps=50)
_ROWS = 256


def transfer_counts(
    members: Sequence[Trainee], x: Tensor, y: Tensor, space: PerturbationSet, *, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Attack each member by PGD and show what fools it to every other one.

    Args:
        members: In evaluation mode.
        x: (n, *shape) rows.
        y: (n,) labels.
        space: What the attacker may change.
        seed: Of the attacks' random starts; the caller's random state is left as it was.

    Returns:
        (k, k) int64 ``fooled`` and ``tried``: rows of which member i's adversarial example fools member j, among those
        that fool i and that j classifies right as they are. The diagonals count how often i itself falls.
    """
    k = len(members)
    fooled, tried = torch.zeros(k, k, dtype=torch.int64), torch.zeros(k, k, dtype=torch.int64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for rows, labels in zip(torch.split(x, _ROWS), torch.split(y, _ROWS), strict=True):
            with torch.no_grad():
                right = torch.stack([member(rows).argmax(1) == labels for member in members])
            for i, member in enumerate(members):
                wrong = _answers_to(member, members, rows, labels, space)
                shown = right & torch.where(torch.arange(k)[:, None] == i, True, wrong[i] & right[i])
                tried[i] += shown.sum(1).cpu()
                fooled[i] += (shown & wrong).sum(1).cpu()
    return fooled, tried


def _answers_to(
    member: Trainee, members: Sequence[Trainee], x: Tensor, y: Tensor, space: PerturbationSet
) -> Tensor:
    """(k, n) bool: which members answer wrongly to the adversarial examples of one of them."""
    attacked = _ATTACK.climb(space.around(x), lambda z: F.cross_entropy(member(z), y, reduction="sum"))
    with torch.no_grad():
        return torch.stack([other(attacked).argmax(1) != y for other in members])


def transfer_success(fooled: Tensor, tried: Tensor) -> Measurement:
    """Share of adversarial examples of one member that fool another one, over all ordered pairs.

    Args:
        fooled: (k, k) as ``transfer_counts`` gives it.
        tried: Likewise.
    """
    apart = ~torch.eye(len(fooled), dtype=torch.bool)
    return proportion("transfer_success", int(fooled[apart].sum()), int(tried[apart].sum()), better="lower")


def transfer_shares(
    members: Sequence[Trainee], split: Split, rows: np.ndarray, space: PerturbationSet
) -> tuple[tuple[float | None, ...], ...]:
    """Shares of rows of a split: line i, column j is how often an attack on member i fools member j.

    ``None`` where there was nothing to try. See ``transfer_counts``.
    """
    x, y = (torch.from_numpy(part) for part in split.take(rows))
    fooled, tried = (part.tolist() for part in transfer_counts(members, x, y, space))
    return tuple(
        tuple(a / b if b else None for a, b in zip(counts, of, strict=True))
        for counts, of in zip(fooled, tried, strict=True)
    )
