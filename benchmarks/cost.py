"""Cost: time of PGD-40 over the time of the same number of bare forward and backward passes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torchattacks
from art.attacks.evasion import ProjectedGradientDescentPyTorch
from torch.nn import functional as F

from benchmarks.strength import art_classifier
from benchmarks.subjects import Subject
from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes

STEPS = 40
EPS = 1e-5
"""So small that no sample falls: every library makes all its passes on all samples."""
BATCHES = (32, 64, 128)


def cost_table(subject: Subject, *, quick: bool) -> str:
    """A Markdown table of times, each library beside bare passes in the same rounds."""
    count = 64 if quick else 128
    x, y = subject.samples.x[:count], subject.samples.y[:count]
    formats = (torch.contiguous_format, torch.channels_last)
    best = min(
        ((f, b) for f in formats for b in BATCHES if b <= count),
        key=lambda setting: min(_time(lambda: _bare(subject, x, y, 3, *setting)) for _ in range(2)),
    )
    subject.module.to(memory_format=torch.channels_last)
    runs: dict[str, Callable[[], object]] = {
        "bare passes": lambda: _bare(subject, x, y, STEPS, *best),
        "Gambeson": lambda: _ours(subject, count),
        "torchattacks": lambda: _torchattacks(subject, x, y, best[1]),
        "ART": lambda: _art(subject, x, y, best[1]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    rounds = 2 if quick else _rounds(_time(runs["bare passes"]))
    for turn in range(rounds + 1):
        for name, run in runs.items():
            taken = _time(run)
            if turn:  # the first round warms up
                seconds[name].append(taken)
    lines = [
        f"## Cost on {subject.name}",
        "",
        f"PGD-{STEPS} on {count} images, eps so small that none falls, so that nobody profits from stopping early. "
        f"Bare passes: {STEPS} forward and backward passes to the input and one forward pass, in the best of "
        f"{len(BATCHES)} batch sizes and two memory formats ({best[1]}, {str(best[0]).removeprefix('torch.')}); "
        f"peers with the same batch size. {rounds} rounds in turn after a warm-up, in CPU seconds of the process. "
        "Others on the machine only ever add to a time, so the least of all rounds says most.",
        "",
        "| | least seconds | over the least of bare passes | median ratio within a round |",
        "|---|---|---|---|",
    ]
    bare = seconds["bare passes"]
    for name, taken in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(taken, bare, strict=True))
        lines.append(f"| {name} | {min(taken):.3f} | {min(taken) / min(bare):.3f} | {ratio:.3f} |")
    return "\n".join(lines) + "\n"


def _rounds(seconds: float) -> int:
    """As many as fit into half a minute, 5 to 30."""
    return int(min(max(30 / seconds, 5), 30))


def _time(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def _bare(
    subject: Subject, x: torch.Tensor, y: torch.Tensor, steps: int, form: torch.memory_format, batch: int
) -> None:
    module = subject.module.to(memory_format=form)
    for step in range(steps + 1):
        for start in range(0, len(x), batch):
            leaf = x[start : start + batch].to(memory_format=form).requires_grad_(step < steps)
            with torch.set_grad_enabled(step < steps):
                loss = F.cross_entropy(module(leaf), y[start : start + batch], reduction="sum")
                if step < steps:
                    torch.autograd.grad(loss, leaf)
            leaf.requires_grad_(False)


def _ours(subject: Subject, count: int) -> None:
    item = stage("pgd", steps=STEPS)
    space = PerturbationSet.of(ThreatModel(Norm.LINF, EPS), subject.schema)
    subject.module.to(memory_format=torch.channels_last)
    run_attack(
        item.attack,
        item.facts,
        Passes(subject.model),
        subject.samples.select(torch.arange(count)),
        space,
        run=Run(Seed(0)),
    )


def _torchattacks(subject: Subject, x: torch.Tensor, y: torch.Tensor, batch: int) -> None:
    attack = torchattacks.PGD(subject.module, eps=EPS, alpha=EPS / 10, steps=STEPS)
    for start in range(0, len(x), batch):
        attack(x[start : start + batch], y[start : start + batch])


def _art(subject: Subject, x: torch.Tensor, y: torch.Tensor, batch: int) -> None:
    attack = ProjectedGradientDescentPyTorch(
        art_classifier(subject), eps=EPS, eps_step=EPS / 10, max_iter=STEPS, batch_size=batch, verbose=False
    )
    attack.generate(x.numpy(), np.eye(len(subject.schema.classes), dtype=np.float32)[y.numpy()])
