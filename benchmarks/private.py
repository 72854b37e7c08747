"""Private training: accuracy at a promise, what an audit of the promise finds, and what a step costs beside peers."""

from __future__ import annotations

import copy
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.private_peers import opacus_steps
from benchmarks.private_worlds import Fit, World, adult, adult_trees, digits_cnn, digits_scattering
from gambeson.attacks.harness import Run
from gambeson.core.reproduce import Seed
from gambeson.core.stats import wilson
from gambeson.defenses.private import loop
from gambeson.defenses.private.accounting import Mechanism, noise_for
from gambeson.defenses.private.base import private_recipes
from gambeson.defenses.private.canaries import audit_training
from gambeson.defenses.private.clipping import clipped_sums
from gambeson.defenses.private.draws import Draws, SecretDraws, SeededDraws
from gambeson.defenses.private.loop import PrivatelyTrained, PrivateTask, train_privately
from gambeson.defenses.private.making import make_private
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee

_ROUNDS = 15
_BATCHES = 256, 1_024
_CLAIM, _DELTA = 2.0, 1e-5


def private_pictures_table(*, quick: bool) -> list[str]:
    """Markdown: accuracies on MNIST, where the data folder is there."""
    return _accuracies("MNIST", (digits_scattering, digits_cnn), quick)


def private_rows_table(*, quick: bool) -> list[str]:
    """Markdown: accuracies on Adult, where the data folder is there."""
    return _accuracies("Adult", (adult, adult_trees), quick)


def _accuracies(name: str, makers: tuple[Callable[[bool], World | None], ...], quick: bool) -> list[str]:
    worlds = [world for make in makers if (world := make(quick)) is not None]
    lines = [
        f"## Private training: {name}",
        "",
        "Accuracy on test rows at a promise of (epsilon, delta) to each training record, one training each with rows "
        "and noise from a seed. Settings on MNIST are the first that were tried; on Adult three were looked at, which "
        "differed by 0.2 points, and the first was kept; of the trees, six were looked at on training rows "
        "alone, and the defaults kept. Seconds are CPU seconds of the training, features included.",
        "",
        "| model | records | epsilon | delta | noise multiplier | steps | test rows | accuracy "
        "| without privacy | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for world in worlds:
        plain = "–" if world.plain is None else f"{world.plain:.4f}"
        for fit in world.fits:
            begun = time.process_time()
            lines.append(_row(world, fit, begun, plain))
            print(lines[-1], flush=True)
    return ["\n".join(lines) + "\n"] if worlds else []


def _row(world: World, fit: Fit, begun: float, plain: str) -> str:
    recipe = replace(
        private_recipes.make(fit.recipe, fit.parameters),
        epsilon=fit.epsilon,
        repeatable=True,
        self_test=False,
    )
    n = len(world.split)
    plan = recipe.plan(n, fit.epochs, fit.batch)
    torch.manual_seed(0)
    trainee = Trainee(world.build(), "cpu", Answer("logits", False))
    made = make_private(trainee, recipe, plan, world.split, Run(Seed(0)))
    assert made.statement is not None
    seconds = time.process_time() - begun
    right, tested = world.right(made.network), len(world.y)
    band = wilson(right, tested)
    return (
        f"| {world.name} | {n} | {made.statement.epsilon:.3f} | {made.statement.delta:g} | "
        f"{made.statement.noise_multiplier:.3f} | {made.steps} | {tested} | {right / tested:.4f} "
        f"[{band.low:.4f}, {band.high:.4f}] | {plain} | {seconds:.0f} |"
    )


def private_audits_table(*, quick: bool) -> str:
    """Markdown: what canaries find in correct and in broken trainings."""
    mechanism = noise_for(_CLAIM, _DELTA, Mechanism(1.0, 1.0, 10))
    lines = [
        "## Audit of a promise in one run",
        "",
        "100,000 canaries, each in with probability 1/2; at most 2,000 are guessed. Claimed: epsilon "
        f"{_CLAIM:g} at delta {_DELTA:g}, 10 steps on all rows. A lower bound above the claim proves a mistake "
        "(95% confidence).",
        "",
        "| training | seed | right guesses | lower bound of epsilon | found to be broken |",
        "|---|---|---|---|---|",
    ]
    for seed in range(2 if quick else 5):
        lines += [_audited("correct", seed, mechanism, _honest)]
    for name, train in (
        ("noise halved", _half),
        ("no noise", _none),
        ("clipping after averaging", _averaged),
    ):
        lines.append(_audited(name, 0, mechanism, train))
    return "\n".join(lines) + "\n"


def _audited(name: str, seed: int, mechanism: Mechanism, train: Callable[..., PrivatelyTrained]) -> str:
    found = audit_training(mechanism, _CLAIM, _DELTA, seed=Seed(seed), train=train)
    return f"| {name} | {seed} | {found.right} / {found.guesses} | {found.bound:.2f} | {found.refuted} |"


def _honest(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    return train_privately(trainee, replace(task, draws=SeededDraws(task.run.seed.child("draws"))))


def _with(factor: float, trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    mechanism = replace(task.mechanism, noise_multiplier=factor * task.mechanism.noise_multiplier)
    return _honest(trainee, replace(task, mechanism=mechanism))


def _half(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    return _with(0.5, trainee, task)


def _none(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    return _with(0.0, trainee, task)


def _averaged(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
    """Clips the mean instead of the rows."""
    right = loop.clipped_sums

    def wrong(module, losses, x, y, clip):  # noqa: ANN001, ANN202
        found = right(module, losses, x, y, float("inf"))
        length = torch.cat([v.flatten() for v in found.sums.values()]).norm() / len(x)
        return replace(found, sums={k: v * min(1.0, clip / float(length)) for k, v in found.sums.items()})

    loop.clipped_sums = wrong
    try:
        return _honest(trainee, task)
    finally:
        loop.clipped_sums = right


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)
    )


def _cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 8, 2, padding=3), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Conv2d(16, 32, 4, 2), nn.ReLU(),
        nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10),
    )  # fmt: skip


def private_cost_table(*, quick: bool) -> str:
    """Markdown: what a step costs, beside the plain step and Opacus."""
    lines = [
        "## Cost of a private step",
        "",
        "Forward, backward, clipping by row, noise and an SGD step on random pictures of 28 x 28; least CPU seconds of "
        f"{_ROUNDS} rounds in turn after a warm-up, over the plain step. Memory: most resident memory during a step "
        "over that before it, in MB. Noise from a cipher under a secret key unless it is said otherwise; Opacus draws "
        "from torch's generator. Opacus in each of its modes, where it is installed.",
        "",
        "| network | batch | | least milliseconds | over the plain step | memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, build in (("MLP 784-512-256-10", _mlp), ("CNN", _cnn)):
        for batch in _BATCHES:
            lines += _cost_rows(name, build, batch, 3 if quick else _ROUNDS)
    return "\n".join(lines) + "\n"


def _cost_rows(name: str, build: Callable[[], nn.Module], batch: int, rounds: int) -> list[str]:
    torch.manual_seed(0)
    x, y = torch.rand(batch, 1, 28, 28), torch.randint(10, (batch,))
    module = build()
    runs = {
        "plain": _plain_step(copy.deepcopy(module), x, y),
        "Gambeson": _our_step(copy.deepcopy(module), x, y, SecretDraws()),
        "Gambeson, noise from a seed": _our_step(copy.deepcopy(module), x, y, SeededDraws(Seed(0))),
    }
    runs |= opacus_steps(module, x, y)
    seconds: dict[str, list[float]] = {label: [] for label in runs}
    memory = {label: _memory(run) for label, run in runs.items()}
    for turn in range(rounds + 1):
        for label, run in runs.items():
            begun = time.process_time()
            run()
            if turn:  # the first round warms up
                seconds[label].append(time.process_time() - begun)
    plain = min(seconds["plain"])
    rows = [
        f"| {name} | {batch} | {label} | {1e3 * min(taken):.1f} | {min(taken) / plain:.2f} | {memory[label]:.0f} |"
        for label, taken in seconds.items()
    ]
    print("\n".join(rows), flush=True)
    return rows


def _plain_step(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    optimizer = torch.optim.SGD(module.parameters(), 1e-3)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(module(x), y).backward()
        optimizer.step()

    return step


def _our_step(module: nn.Module, x: torch.Tensor, y: torch.Tensor, draws: Draws) -> Callable[[], None]:
    optimizer = torch.optim.SGD(module.parameters(), 1e-3)
    parameters = dict(module.named_parameters())
    sizes = [p.numel() for p in parameters.values()]

    def losses(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(module(x), y, reduction="none")

    def step() -> None:
        found = clipped_sums(module, losses, x, y, 1.0)
        noise = torch.split(torch.from_numpy(draws.normal(0, sum(sizes))), sizes)
        for (name, parameter), part in zip(parameters.items(), noise, strict=True):
            parameter.grad = found.sums[name].add_(part.view_as(parameter)).div_(len(x))
        optimizer.step()

    return step


def _memory(run: Callable[[], None]) -> float:
    """Most resident megabytes during a step over those before it; NaN where the system does not say."""
    run()
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return float("nan")
    before = _status("VmRSS")
    run()
    return (_status("VmHWM") - before) / 1_024


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
