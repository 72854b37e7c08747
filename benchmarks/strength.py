"""Strength: samples broken at the same steps or queries, ours against torchattacks and ART."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np
import torch
import torchattacks
from art.attacks.evasion import AutoProjectedGradientDescent, ProjectedGradientDescentPyTorch, SquareAttack
from art.estimators.classification import PyTorchClassifier
from scipy import stats
from torch import Tensor

from benchmarks.same_starts import Starts, started_at
from benchmarks.subjects import Subject
from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, run_attack
from gambeson.attacks.judge import verify
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes


@dataclass(frozen=True)
class Row:
    """One attack in the three libraries; each function maps (subject, eps, seed) to adversarial inputs."""

    name: str
    ours: tuple[str, dict[str, object]]
    torchattacks: Callable[[Subject, float, int], Tensor]
    art: Callable[[Subject, float, int], Tensor] | None
    long: bool = False
    """Measured with two seeds only."""


def strength_table(subject: Subject, *, seeds: int, quick: bool) -> str:
    """A Markdown table of samples broken, mean over seeds, each judged by the same independent judge.

    Args:
        subject: What is attacked.
        seeds: Seeds that every attack but Square runs with.
        quick: Two seeds and fewer queries, to see that it runs.
    """
    n, seeds = len(subject.samples), 2 if quick else seeds
    lines = [
        f"## Strength on {subject.name}",
        "",
        f"{n} correctly classified samples, linf, mean number broken over {seeds} seeds (Square: two). Every "
        "library takes the same number of steps, so each looks at as many points (ART's Auto-PGD spends one more "
        "forward pass on every step, for its loss), and every result is judged alike: inside the ball, inside "
        "[0, 1], misclassified in float32. With one seed all libraries start from the same random points, with another "
        "seed from others (Square draws its own). In brackets: Gambeson's lead over that library, with the half width "
        "of its paired 95% t-interval over the seeds.",
        "",
        "| attack | eps | Gambeson | torchattacks | ART |",
        "|---|---|---|---|---|",
    ]
    leads: list[Leads] = []
    for row in _rows(100 if quick else 300):
        for eps in subject.radii:
            ours, *peers = (
                attack and [attack(subject, eps, seed) for seed in range(2 if row.long else seeds)]
                for attack in (_ours(row.ours), _judged(row.torchattacks), _judged(row.art))
            )
            beside = [_leads(ours, peer) for peer in peers]
            leads += [] if row.long else [beside]
            cells = " | ".join([f"{mean(ours):.1f}", *map(_cell, peers, beside)])
            lines.append(f"| {row.name} | {eps:.4g} | {cells} |")
            print(lines[-1], flush=True)
    lines += ["", _together(leads)]
    print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


Leads = list[list[float] | None]
"""Our lead over each peer, seed by seed; ``None`` for a peer without the attack."""


def _leads(ours: list[float], peer: list[float] | None) -> list[float] | None:
    return None if peer is None else [a - b for a, b in zip(ours, peer, strict=True)]


def _cell(peer: list[float] | None, leads: list[float] | None) -> str:
    """A peer's mean, and our lead over it."""
    return "–" if peer is None or leads is None else f"{mean(peer):.1f} ({_interval(leads)})"


def _together(leads: list[Leads]) -> str:
    """Our lead over each peer, summed over every attack but Square."""
    names = ("torchattacks", "ART")
    sums = [
        [sum(seed) for seed in zip(*(row[i] for row in leads if row[i] is not None), strict=True)]
        for i in range(len(names))
    ]
    said = " and ".join(f"{_interval(s)} over {name}" for s, name in zip(sums, names, strict=True))
    return f"Lead over all rows but Square together, in samples: {said}."


def _interval(leads: list[float]) -> str:
    """Mean, and half width of its 95% t-interval."""
    half = float(stats.t.ppf(0.975, len(leads) - 1)) * stdev(leads) / len(leads) ** 0.5
    return f"{mean(leads):+.1f} ± {half:.1f}"


def _rows(queries: int) -> tuple[Row, ...]:
    return (
        Row(
            "PGD, 10 steps of eps/4",
            ("pgd", {"steps": 10, "step_size": 0.25}),
            lambda s, eps, seed: torchattacks.PGD(s.module, eps=eps, alpha=eps / 4, steps=10)(
                s.samples.x, s.samples.y
            ),
            lambda s, eps, seed: _art(
                s, ProjectedGradientDescentPyTorch, eps=eps, eps_step=eps / 4, max_iter=10, num_random_init=1
            ),
        ),
        *(_apgd(loss, art) for loss, art in (("ce", "cross_entropy"), ("dlr", "difference_logits_ratio"))),
        Row(
            "APGD targeted DLR, 9 targets × 10 steps",
            ("apgd", {"steps": 10, "loss": "targeted_dlr", "targets": 9}),
            lambda s, eps, seed: torchattacks.APGDT(s.module, eps=eps, steps=10, seed=seed, n_classes=10)(
                s.samples.x, s.samples.y
            ),
            None,
        ),
        Row(
            f"Square, {queries} queries",
            ("square", {"queries": queries}),
            lambda s, eps, seed: torchattacks.Square(s.module, eps=eps, n_queries=queries, seed=seed)(
                s.samples.x, s.samples.y
            ),
            lambda s, eps, seed: _art(s, SquareAttack, eps=eps, max_iter=queries),
            long=True,
        ),
    )


def _apgd(loss: str, art_loss: str) -> Row:
    return Row(
        f"APGD {loss.upper()}, 20 steps",
        ("apgd", {"steps": 20, "loss": loss}),
        lambda s, eps, seed: torchattacks.APGD(s.module, eps=eps, steps=20, seed=seed, loss=loss)(
            s.samples.x, s.samples.y
        ),
        lambda s, eps, seed: _art(
            s,
            AutoProjectedGradientDescent,
            eps=eps,
            eps_step=2 * eps,
            max_iter=20,
            nb_random_init=1,
            loss_type=art_loss,
        ),
    )


def _ours(attack: tuple[str, dict[str, object]]) -> Callable[[Subject, float, int], float]:
    def run(subject: Subject, eps: float, seed: int) -> float:
        item = stage(attack[0], **attack[1])
        space = _space(subject, eps)
        passes = Passes(subject.model)
        found = run_attack(item.attack, item.facts, passes, subject.samples, space, run=Run(Seed(seed)))
        return float(found.fallen.sum())

    return run


def _judged(
    attack: Callable[[Subject, float, int], Tensor] | None,
) -> Callable[[Subject, float, int], float] | None:
    if attack is None:
        return None

    def run(subject: Subject, eps: float, seed: int) -> float:
        torch.manual_seed(seed)
        np.random.seed(seed)
        space = _space(subject, eps)
        with started_at(Starts(subject.samples, space, seed)):
            x = attack(subject, eps, seed).detach()
        ball = space.around(subject.samples.x)
        return float(verify(Passes(subject.model), x, subject.samples.y, ball).sum())

    return run


def _space(subject: Subject, eps: float) -> PerturbationSet:
    return PerturbationSet.of(ThreatModel(Norm.LINF, eps), subject.schema)


def art_classifier(subject: Subject) -> PyTorchClassifier:
    """ART's wrapper of the subject's module."""
    return PyTorchClassifier(
        subject.module,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=subject.schema.shape,
        nb_classes=len(subject.schema.classes),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )


def _art(subject: Subject, attack: type, **parameters: object) -> Tensor:
    made = attack(art_classifier(subject), batch_size=128, verbose=False, **parameters)
    labels = np.eye(len(subject.schema.classes), dtype=np.float32)[subject.samples.y.numpy()]
    return torch.from_numpy(made.generate(subject.samples.x.numpy(), labels))
