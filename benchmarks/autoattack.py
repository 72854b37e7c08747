"""AutoAttack, ours beside the authors' own or torchattacks', and ``strongest``: robust accuracy and CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

import art.attacks.evasion as art
import numpy as np
import torch
import torchattacks
from torch import Tensor

from benchmarks.strength import art_classifier
from benchmarks.subjects import Subject
from gambeson.attacks.ensemble import EnsembleOutcome, run_in_turn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.judge import verify
from gambeson.attacks.protocols import autoattack, strongest
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes

SEEDS = (0, 1, 2)


def autoattack_table(subject: Subject, eps: float, of: int) -> str:
    """A Markdown table for one model.

    Args:
        subject: The model and the samples that it gets right.
        eps: linf radius.
        of: How many samples there were, right or wrong: the base of the accuracies.
    """
    space = PerturbationSet.of(ThreatModel(Norm.LINF, eps), subject.schema)
    reference, name = _reference()
    lines = [
        f"## AutoAttack and strongest on {subject.name}",
        "",
        f"linf {eps:.4g}, {of} samples, {len(subject.samples)} of them classified correctly. CPU seconds of the "
        f"process; every result is judged alike on a fresh float32 pass. Reference: {name}, standard version; ART's "
        "AutoAttack runs Auto-PGD on cross-entropy and on DLR, DeepFool and 1,000 queries of Square, once each.",
        "",
        "| | seed | robust accuracy | CPU s | of the reference's time |",
        "|---|---|---|---|---|",
    ]
    base, kept = _timed(lambda: _judged(reference(subject, eps), subject, space))
    lines.append(f"| {name} | 0 | {kept / of:.3f} | {base:.1f} | 1 |")
    print(lines[-1], flush=True)
    taken, kept = _timed(lambda: _judged(_art(subject, eps), subject, space))
    lines.append(f"| ART AutoAttack | 0 | {kept / of:.3f} | {taken:.1f} | {taken / base:.1f} |")
    print(lines[-1], flush=True)
    for label, plan, seeds in (
        ("Gambeson autoattack", autoattack, SEEDS[:1]),
        ("Gambeson strongest", strongest, SEEDS),
    ):
        for seed in seeds:
            taken, found = _timed(lambda plan=plan, seed=seed: _ours(plan, subject, space, seed))
            kept = int((~found.fallen).sum())
            lines.append(f"| {label} | {seed} | {kept / of:.3f} | {taken:.1f} | 1/{base / taken:.1f} |")
            print(lines[-1], flush=True)
    lines += [
        "",
        f"Of strongest's last run: {_anytime(found, of)}",
        "",
        _stopped_early(subject, space, taken, of),
    ]
    return "\n".join(lines) + "\n"


def _anytime(found: EnsembleOutcome, of: int) -> str:
    """What the bound was after each stage."""
    standing, parts = len(found.fallen), []
    for record in found.records:
        standing -= record.fell
        parts.append(f"{standing / of:.3f} after {record.label} ({record.tried} tried)")
    return "; ".join(parts) + "."


def _stopped_early(subject: Subject, space: PerturbationSet, whole: float, of: int) -> str:
    """The bound that ``strongest`` reports when it is stopped early in its own CPU time."""
    found = []
    for share in (0.05, 0.1, 0.25, 0.5):
        run = Run(Seed(SEEDS[-1]), deadline=time.process_time() + share * whole, clock=time.process_time)
        stages = strongest(Norm.LINF, len(subject.schema.classes))
        outcome = run_in_turn(stages, Passes(subject.model), subject.samples, space, run=run)
        found.append(f"{int((~outcome.fallen).sum()) / of:.3f} after {share:.0%}")
    return f"Stopped early in its own CPU time, it reports: {'; '.join(found)}."


def _art(subject: Subject, eps: float) -> Tensor:
    x, y = subject.samples.x.numpy(), subject.samples.y.numpy()
    model, own = art_classifier(subject), {"eps": eps, "batch_size": 128}
    one = {**own, "norm": np.inf, "eps_step": eps / 4, "nb_random_init": 1, "max_iter": 100, "verbose": False}
    # Its five restarts of everything, Square's 5,000 queries included, would take an hour.
    attacks = [
        art.AutoProjectedGradientDescent(model, loss_type="cross_entropy", **one),
        art.AutoProjectedGradientDescent(model, loss_type="difference_logits_ratio", **one),
        art.DeepFool(model, max_iter=50, epsilon=1e-3, nb_grads=10, batch_size=128, verbose=False),
        art.SquareAttack(model, norm=np.inf, max_iter=1_000, nb_restarts=1, verbose=False, **own),
    ]
    attack = art.AutoAttack(model, norm=np.inf, eps_step=eps / 4, attacks=attacks, **own)
    return torch.from_numpy(attack.generate(x, np.eye(len(subject.schema.classes), dtype=np.float32)[y]))


def _reference() -> tuple[Callable[[Subject, float], Tensor], str]:
    """The authors' package where it is installed, else torchattacks' port of it."""
    if find_spec("autoattack") is None:
        return lambda s, eps: torchattacks.AutoAttack(s.module, eps=eps, n_classes=10, seed=0)(
            s.samples.x, s.samples.y
        ), "torchattacks' AutoAttack"

    def authors(subject: Subject, eps: float) -> Tensor:
        from autoattack import AutoAttack

        attack = AutoAttack(subject.module, norm="Linf", eps=eps, device="cpu", verbose=False, seed=0)
        return attack.run_standard_evaluation(subject.samples.x, subject.samples.y, bs=len(subject.samples))

    return authors, "the authors' AutoAttack"


def _judged(x: Tensor, subject: Subject, space: PerturbationSet) -> int:
    ball = space.around(subject.samples.x)
    return int((~verify(Passes(subject.model), x.detach(), subject.samples.y, ball)).sum())


def _ours(
    plan: Callable[[Norm, int], list[object]], subject: Subject, space: PerturbationSet, seed: int
) -> EnsembleOutcome:
    stages = plan(Norm.LINF, len(subject.schema.classes))
    return run_in_turn(stages, Passes(subject.model), subject.samples, space, run=Run(Seed(seed)))


def _timed(run: Callable[[], object]) -> tuple[float, object]:
    torch.manual_seed(0)
    begun = time.process_time()
    result = run()
    return time.process_time() - begun, result
