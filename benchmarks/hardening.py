"""Hardening: time of adversarial training beside ART's, what it reaches, collapse with and without guard, ensembles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from art.defences.trainer import AdversarialTrainerMadryPGD
from art.estimators.classification import PyTorchClassifier
from torch import nn

import gambeson as gb
from benchmarks.pictures import write_curve
from benchmarks.subjects import data_folder
from examples import robust_nets, train_robust
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.protocols import autoattack, strongest
from gambeson.core.finding import Curve
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.training.base import Recipe, recipes
from gambeson.defenses.training.loop import Task, Trained, hold_out, train
from gambeson.defenses.training.plan import Plan
from gambeson.defenses.transferability import transfer_counts, transfer_success
from gambeson.models.model import ModelInfo
from gambeson.models.probing import Answer
from gambeson.models.torch_ensemble import Ensemble
from gambeson.models.torch_model import Network, TorchModel
from gambeson.models.torch_trainee import Trainee
from gambeson.service.hardening_charts import training_charts

LOGITS = Answer("logits", single=False)
EPS = 0.3
STEPS = 7


def hardening_table(part: str, *, quick: bool) -> list[str]:
    """Markdown of a part: reached, time, arithmetic, collapse or ensembles; none without MNIST."""
    if not (data_folder() / "mnist.npz").exists():
        return []
    parts = {
        "reached": _reached,
        "time": _time,
        "arithmetic": _arithmetic,
        "collapse": _collapse,
        "ensembles": _ensembles,
    }
    return [parts[part](gb.open_dataset(str(data_folder() / "mnist.npz")), quick=quick)]


def _task(
    data: gb.Dataset, recipe: Recipe, plan: Plan, rows: int, *, eps: float = EPS, held_out: int = 500
) -> Task:
    """A training on the first rows of MNIST."""
    x, y = data.split("train").take(np.arange(rows))
    run = Run(Seed(0))
    space = PerturbationSet.of(ThreatModel(eps=eps), data.schema)
    return Task(recipe, plan, hold_out(ArraySplit(x, y), held_out, run), space, run)


def _network(build: Callable[[], nn.Module]) -> Trainee:
    torch.manual_seed(0)
    return Trainee(build(), "cpu", LOGITS)


def _audited(
    trained: Trained, data: gb.Dataset, samples: int
) -> tuple[Measurement, Measurement, Measurement]:
    """Clean accuracy, and robust accuracy under ``strongest`` and under AutoAttack."""
    info = ModelInfo("trained", "torch", data.schema.shape, 10, "logits")
    model = TorchModel(Network(trained.network.module, "cpu"), info, LOGITS)
    threat = ThreatModel(eps=EPS)
    ours = gb.run_attacks(strongest(Norm.LINF, 10), model, data, threat, samples=samples)
    theirs = gb.run_attacks(autoattack(Norm.LINF, 10), model, data, threat, samples=samples)
    return ours.clean_accuracy, ours.robust_accuracy, theirs.robust_accuracy


def _reached(data: gb.Dataset, *, quick: bool) -> str:
    rows, epochs, samples = (5_000, 2, 100) if quick else (60_000, 20, 1_000)
    plan = Plan(epochs=epochs, average=0.998, keep=True)
    begun = time.process_time()
    task = _task(data, recipes["trades"].plugin(3.0, 2, 0.8), plan, rows, held_out=1_000)
    trained = train(_network(robust_nets.mnist), task)
    taken = time.process_time() - begun
    figures = " | ".join(str(figure) for figure in _audited(trained, data, samples))
    return "\n".join(
        [
            "## Adversarial training on MNIST at linf 0.3",
            "",
            f"From scratch on {rows:,} rows less those held out, {epochs} epochs of TRADES with beta 3 and two steps "
            "that begin where those of the epoch before ended, on one core in bfloat16 where the processor has it; "
            f"`examples/robust_nets.py:mnist`, judged on {samples:,} test images.",
            "",
            "| CPU s | clean | strongest | autoattack |",
            "|---|---|---|---|",
            f"| {taken:,.0f} | {figures} |",
            "",
        ]
    )


def _arithmetic(data: gb.Dataset, *, quick: bool) -> str:
    """What bfloat16 saves, and that it costs no robustness."""
    rows, epochs, samples = (2_000, 2, 100) if quick else (20_000, 6, 1_000)
    lines = [
        "## Adversarial training in bfloat16 and float32",
        "",
        f"MNIST, linf {EPS}, {rows:,} rows, {epochs} epochs of PGD-{STEPS}, the network of `examples/train_robust.py`; "
        f"judged in float32 on {samples:,} test images.",
        "",
        "| arithmetic | CPU s | clean | strongest | autoattack |",
        "|---|---|---|---|---|",
    ]
    for half in (True, False):
        begun = time.process_time()
        task = _task(data, recipes["pgd"].plugin(), Plan(epochs=epochs, half=half), rows)
        trained = train(_network(train_robust.mnist), task)
        taken = time.process_time() - begun
        figures = " | ".join(str(figure) for figure in _audited(trained, data, samples))
        lines.append(f"| {'bfloat16' if half else 'float32'} | {taken:,.0f} | {figures} |")
        print(lines[-1], flush=True)
    return "\n".join([*lines, ""])


def _time(data: gb.Dataset, *, quick: bool) -> str:
    """CPU time of an epoch, all in turn, the least of some rounds."""
    rows, rounds = (640, 1) if quick else (20_480, 2)
    runs: dict[str, Callable[[], object]] = {
        "Gambeson, bfloat16": lambda: _epoch(data, rows, half=True),
        "Gambeson, float32": lambda: _epoch(data, rows, half=False),
        "ART AdversarialTrainerMadryPGD": lambda: _art_epoch(data, rows),
    }
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds + 1):
        for name, run in runs.items():
            begun = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - begun)
    theirs = least["ART AdversarialTrainerMadryPGD"]
    return "\n".join(
        [
            "## Time of an epoch of PGD training",
            "",
            f"MNIST, {rows:,} rows, batches of 128, PGD-{STEPS}, the same network. CPU seconds of "
            f"the process, the least of {rounds + 1} rounds in turn; ours with its running mean, its guard and its "
            "look at held-out rows, of which there are as many for each row as in a training on all of MNIST.",
            "",
            "| | CPU s | of ART's |",
            "|---|---|---|",
            *(f"| {name} | {seconds:.2f} | {seconds / theirs:.2f} |" for name, seconds in least.items()),
            "",
        ]
    )


def _epoch(data: gb.Dataset, rows: int, *, half: bool) -> Trained:
    plan = Plan(epochs=1, ramp=0.0, half=half)
    return train(
        _network(train_robust.mnist),
        _task(data, recipes["pgd"].plugin(), plan, rows + rows // 60, held_out=rows // 60),
    )


def _art_epoch(data: gb.Dataset, rows: int) -> None:
    module = _network(train_robust.mnist).module
    classifier = PyTorchClassifier(
        module,
        loss=nn.CrossEntropyLoss(),
        optimizer=torch.optim.Adam(module.parameters(), 2e-3),
        input_shape=data.schema.shape,
        nb_classes=10,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    x, y = data.split("train").take(np.arange(rows))
    trainer = AdversarialTrainerMadryPGD(
        classifier, nb_epochs=1, batch_size=128, eps=EPS, eps_step=2.5 * EPS / STEPS, max_iter=STEPS
    )
    trainer.fit(x, y)


def _collapse(data: gb.Dataset, *, quick: bool) -> str:
    """Robust accuracy on held-out rows, epoch by epoch, without the guard and with it."""
    rows, epochs = (2_000, 6) if quick else (10_000, 20)
    series, marks, lines = [], (), []
    for guard in (False, True):
        plan = Plan(epochs=epochs, average=0.0, learning_rate=3e-3, guard=guard)
        recipe = recipes.make("fast", {"reach": 1.0, "start": 0.0})
        history = train(_network(train_robust.mnist), _task(data, recipe, plan, rows)).history
        (curve,) = training_charts(history).curves
        name = "with the guard" if guard else "without"
        series.append(replace(curve.series[1], name=name))
        marks = curve.marks
        last = history.looks[-1]
        lines.append(
            f"| {name} | {last.standing.clean:.3f} | {last.standing.robust:.3f} | {last.attack_steps} "
            f"| {len(history.returns)} times |"
        )
    title = "Robust accuracy of FGSM training on MNIST, without and with the guard"
    picture = Curve("collapse", title, "training steps", "accuracy under PGD", tuple(series), marks=marks)
    return "\n".join(
        [
            "## Catastrophic overfitting of one-step training",
            "",
            f"MNIST, linf {EPS}, {rows:,} rows, {epochs} epochs, FGSM without a random start: accuracy under PGD-20 on "
            f"{history.looks[0].standing.rows} held-out rows, with 95% intervals. The guard goes back (upright lines) "
            "and gives the attacker more steps.",
            "",
            "" if quick else write_curve("collapse", picture),
            "",
            "| | clean at the end | under PGD-20 | steps of the attacker | went back |",
            "|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def _ensembles(data: gb.Dataset, *, quick: bool) -> str:
    """Transfer between members of an ensemble, trained plainly and by DVERGE."""
    rows, epochs, samples, eps = (2_000, 2, 200, 0.15) if quick else (20_000, 8, 1_000, 0.15)
    x, y = (torch.from_numpy(a) for a in data.split("test").take(np.arange(samples)))
    space = PerturbationSet.of(ThreatModel(eps=eps), data.schema)
    lines = [
        "## Ensembles of three",
        "",
        f"MNIST, {rows:,} rows, {epochs} epochs, linf {eps}. Transfer: of the adversarial examples (PGD-50) of one "
        f"member, how many fool another that is right on the image itself; {samples:,} test images.",
        "",
        "| recipe | clean | transfer |",
        "|---|---|---|",
    ]
    for name in ("plain", "dverge"):
        torch.manual_seed(0)
        module = Ensemble([train_robust.mnist() for _ in range(3)], LOGITS)
        task = _task(data, recipes[name].plugin(), Plan(epochs=epochs), rows, eps=eps)
        trained = train(Trainee(module, "cpu", LOGITS), task)
        with torch.no_grad():
            right = int((trained.network(x).argmax(1) == y).sum())
        transfer = transfer_success(*transfer_counts(trained.network.members, x, y, space))
        lines.append(f"| {name} | {right / samples:.3f} | {transfer} |")
    return "\n".join([*lines, ""])
