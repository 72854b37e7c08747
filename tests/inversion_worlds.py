"""Pictures of five patterns, and models that know them: what inversion attacks are tried on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.base import InversionTask
from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.model import ModelInfo
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

SHAPE, CLASSES = (1, 8, 8), 5
SCHEMA = Schema(SHAPE, tuple("abcde"))
TABLE = Schema((64,), tuple("abcde"), features=tuple(Feature(f"f{i}", Kind.INTEGER, 0, 1) for i in range(64)))


def patterns() -> Tensor:
    """(5, 1, 8, 8): a block of its own for each class."""
    out = torch.zeros(CLASSES, *SHAPE)
    corners = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
    for c, (row, column) in enumerate(corners):
        out[c, 0, row : row + 4, column : column + 4] = 1
    return out


def examples(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(n, 1, 8, 8) patterns with a trace of every other one and some noise, and their labels."""
    rng = np.random.default_rng(seed)
    y = torch.from_numpy(rng.integers(0, CLASSES, count))
    traces = torch.from_numpy(rng.random((count, CLASSES)).astype(np.float32))
    noise = torch.from_numpy(rng.random((count, *SHAPE)).astype(np.float32))
    mixed = torch.einsum("nk,kchw->nchw", traces, patterns())
    return (0.5 * patterns()[y] + 0.45 * mixed + 0.05 * noise).clamp(0, 1), y


class PatternModel:
    """Logits are how much of each pattern an input shows beyond its mean; ``blind`` answers the same to all."""

    device = "cpu"

    def __init__(self, shape: tuple[int, ...] = SHAPE, *, blind: bool = False) -> None:
        self.info = ModelInfo("patterns", "torch", shape, CLASSES, "logits")
        self.blind = blind
        centred = patterns().flatten(1)
        self.weights = centred - centred.mean(1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 5) logits."""
        found = x.flatten(1) @ self.weights.T
        return 0 * found if self.blind else found

    def scores(self, x: np.ndarray) -> np.ndarray:
        """(n, 5) logits."""
        return self.forward(torch.from_numpy(x)).numpy()


def task_for(wanted: list[int], *, steps: int = 25, seed: int = 0, table: bool = False) -> InversionTask:
    """A task whose public inputs show none of the wanted classes."""
    x, y = examples(300, seed=1)
    public = x[~torch.isin(y, torch.tensor(wanted))]
    if table:
        public = (public.flatten(1) > 0.4).float()
    keys = torch.from_numpy(Seed(seed).child("task").keys(np.arange(len(wanted))))
    space = space_of(TABLE if table else SCHEMA, public)
    return InversionTask(torch.tensor(wanted), public, space, SampleRandom(keys), steps, seed)


def oracle_for(
    task: InversionTask, access: Access, budget: int | None = None, *, blind: bool = False
) -> Oracle:
    """The attacker's view of a model of patterns."""
    model = PatternModel(task.space.shape, blind=blind)
    return Oracle(Passes(model), access, rows=len(task.classes), budget=budget)


def shows(x: Tensor) -> list[int]:
    """Which pattern each input resembles most, by correlation."""
    flat = x.flatten(1) - x.flatten(1).mean(1, keepdim=True)
    known = patterns().flatten(1) - patterns().flatten(1).mean(1, keepdim=True)
    return (flat @ known.T).argmax(1).tolist()
