"""Membership inference on Location-30: every attack of ours and ART's black-box attack, on the same targets."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
from art.estimators.classification import PyTorchClassifier
from scipy import stats
from torch import nn

from gambeson.attacks.privacy.base import privacy
from gambeson.attacks.privacy.harness import Candidates, Membership, area, exposure, run_inference
from gambeson.attacks.privacy.references import References, draw_half
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.models.torch_training import BATCH, train

RECORDS, HIDDEN, CLASSES, EPOCHS, REFERENCES = 3_758, 128, 30, 100, 8


@dataclass
class World:
    """One target: its records, which of them it was trained on, and reference models on random halves.

    Attributes:
        seconds: CPU time of training the reference models.
    """

    number: int
    x: torch.Tensor
    y: torch.Tensor
    truth: np.ndarray
    target: nn.Module
    references: References
    seconds: float

    @property
    def candidates(self) -> Candidates:
        """What the harness wants."""
        return Candidates(_answers(self.target, self.x), self.y.numpy(), self.truth, self.references)


@dataclass
class Figures:
    """AUC, TPR at 1% and at 0.1% FPR and CPU seconds of one attack, target by target."""

    rows: list[tuple[float, float, float, float]] = field(default_factory=list)

    def cells(self) -> str:
        """Means with the half width of their 95% t-interval over the targets."""
        columns = np.array(self.rows).T
        half = stats.t.ppf(0.975, len(self.rows) - 1) * columns.std(axis=1, ddof=1) / len(self.rows) ** 0.5
        means = columns[:3].mean(axis=1)
        rates = ["–" if np.isnan(m) else f"{m:.3f} ± {h:.3f}" for m, h in zip(means, half[:3], strict=True)]
        return " | ".join([*rates, f"{columns[3].mean():.1f}"])


def membership_table(*, quick: bool) -> str | None:
    """A Markdown table, or ``None`` without the data folder."""
    path = Path(os.environ.get("GAMBESON_DATA", "../shared/data")) / "location30.npz"
    if not path.exists():
        return None
    found: dict[str, Figures] = {}
    seconds, accuracy = [], []
    for number in range(2 if quick else 10):
        world = _world(path, number)
        seconds.append(world.seconds)
        right = world.candidates.target.argmax(1) == world.y.numpy()
        accuracy.append((right[world.truth].mean(), right[~world.truth].mean()))
        for name, run in _attacks(world).items():
            begun = time.process_time()
            item = run()
            taken = time.process_time() - begun
            figures = area(item).value, _rate(item, 0.01), _rate(item, 0.001), taken
            found.setdefault(name, Figures()).rows.append(figures)
        print(
            f"target {number}",
            {name: np.round(f.rows[-1], 3).tolist() for name, f in found.items()},
            flush=True,
        )
    inside, outside = np.mean(accuracy, axis=0)
    lines = [
        "## Membership inference on Location-30",
        "",
        f"{RECORDS} records, one random half of them the members; perceptron 446-{HIDDEN}-{CLASSES} with tanh, Adam, "
        f"{EPOCHS} epochs: accuracy {inside:.3f} on members, {outside:.3f} on others. {REFERENCES} reference models on "
        f"random halves of the records, {np.mean(seconds):.1f} CPU seconds to train. Means over {len(seconds)} targets "
        "with other records, members and weights, and the half width of their 95% t-interval. ART's black-box attack "
        "is trained on half of the members and non-members, which it is told, and measured on the other half.",
        "",
        "| attack | AUC | TPR at 1% FPR | TPR at 0.1% FPR | CPU s, without training |",
        "|---|---|---|---|---|",
        *(f"| {name} | {figures.cells()} |" for name, figures in found.items()),
    ]
    return "\n".join(lines) + "\n"


def _rate(item: Membership, fpr: float) -> float:
    """TPR at this FPR; NaN where there are too few non-members to show it."""
    try:
        return exposure(item, fpr).value
    except InsufficientEvidence:
        return float("nan")


def _world(path: Path, number: int) -> World:
    with np.load(path) as data:
        x, y = data["x"].astype(np.float32), data["y"].astype(np.int64)
    rng = np.random.default_rng(number)
    chosen = rng.permutation(len(x))[:RECORDS]
    x, y = torch.from_numpy(x[chosen]), torch.from_numpy(y[chosen] - y.min())
    truth = np.zeros(RECORDS, bool)
    truth[rng.permutation(RECORDS)[: RECORDS // 2]] = True
    target = _fit(x[truth], y[truth], 1_000 * number)
    begun, scores, included = time.process_time(), [], []
    for pair in range(REFERENCES // 2):
        half = draw_half(y.numpy(), Seed(number).child(str(pair)))
        for rows in (half, ~half):
            model = _fit(x[rows], y[rows], 1_000 * number + 1 + len(scores))
            scores.append(_answers(model, x)[np.arange(RECORDS), y.numpy()])
            included.append(rows)
    taken = time.process_time() - begun
    return World(
        number, x, y, truth, target, References(np.stack(scores), np.stack(included), REFERENCES), taken
    )


def _fit(x: torch.Tensor, y: torch.Tensor, seed: int) -> nn.Module:
    updates = EPOCHS * -(-len(x) // BATCH)
    return train(_network, lambda raw: raw.log_softmax(1), x, y, seed=seed, updates=updates).eval()


def _network() -> nn.Module:
    return nn.Sequential(nn.Linear(446, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, CLASSES))


def _answers(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(x).double().log_softmax(1).numpy()


def _attacks(world: World) -> dict[str, object]:
    ours = {
        entry.name: lambda entry=entry: run_inference(
            entry.plugin(), entry.name, world.candidates, Seed(world.number)
        )
        for entry in privacy
    }
    unrelated = np.random.default_rng(world.number).permutation(world.truth)
    given = world.candidates
    blind = Candidates(given.target, given.labels, unrelated, given.references)
    return {
        **ours,
        "learnt, told of an unrelated membership": lambda: run_inference(
            privacy["learnt"].plugin(), "learnt", blind, Seed(world.number)
        ),
        **{f"ART black-box ({kind})": lambda kind=kind: _art(world, kind) for kind in ("rf", "gb", "nn")},
    }


def _art(world: World, kind: str) -> Membership:
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(world.target.parameters())
    classifier = PyTorchClassifier(
        world.target, loss, (446,), CLASSES, optimizer=optimizer, device_type="cpu"
    )
    attack = MembershipInferenceBlackBox(classifier, attack_model_type=kind)
    halves = np.random.default_rng(world.number).random(RECORDS) < 0.5
    x, y = world.x.numpy(), world.y.numpy()

    def rows(member: bool, told: bool) -> np.ndarray:
        return np.flatnonzero((world.truth == member) & (halves == told))

    inside, outside = rows(True, True), rows(False, True)
    attack.fit(x[inside], y[inside], x[outside], y[outside])
    scores = [
        np.asarray(attack.infer(x[asked], y[asked], probabilities=True)).reshape(len(asked), -1)[:, -1]
        for asked in (rows(True, False), rows(False, False))
    ]
    return Membership(f"ART {kind}", *scores)
