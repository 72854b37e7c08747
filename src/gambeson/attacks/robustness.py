"""Robust accuracy of a model under a list of attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.ensemble import EnsembleOutcome, Stage, run_in_turn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.core.errors import Unavailable
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import Dataset, Split
from gambeson.models.model import Differentiable, Model
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class Robustness:
    """What a list of attacks left of a model's accuracy.

    Attributes:
        samples: The audited samples.
        predicted: (n,) int64 classes predicted on the clean samples.
        correct: (n,) bool, classified correctly when nobody attacks.
        outcome: What the attacks found on the correct ones; its rows are those of ``attacked``.
        attacked: (m,) row numbers in ``samples`` of the correct ones.
        clean_accuracy: Fraction classified correctly.
        robust_accuracy: Fraction classified correctly that no attack broke: an upper bound of what a
            stronger attack would leave.
    """

    samples: Samples
    predicted: np.ndarray
    correct: np.ndarray
    attacked: np.ndarray
    outcome: EnsembleOutcome
    clean_accuracy: Measurement
    robust_accuracy: Measurement


def choose_samples(split: Split, count: int, seed: Seed) -> Samples:
    """``count`` rows drawn without replacement (all of them if there are fewer), in the split's order."""
    n = len(split)
    index = np.arange(n) if count >= n else np.sort(seed.generator().choice(n, count, replace=False))
    x, y = split.take(index)
    return Samples(torch.from_numpy(x), torch.from_numpy(y), index)


def clean_predictions(passes: Passes, samples: Samples) -> np.ndarray:
    """(n,) int64 classes predicted on the samples as they are.

    Raises:
        ModelError: The model answered with something unusable.
    """
    return passes.scores(samples.x.to(passes.device)).argmax(1).cpu().numpy()


def measure_robustness(
    stages: Sequence[Stage],
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    *,
    budget: int | None = None,
    run: Run,
) -> Robustness:
    """Attack the samples that the model gets right.

    Raises:
        AccessDenied: An attack asked for more access than it declared.
        ModelError: The model answered with something unusable.
    """
    predicted = clean_predictions(passes, samples)
    correct = predicted == samples.y.numpy()
    attacked = np.flatnonzero(correct)
    outcome = run_in_turn(
        stages, passes, samples.select(torch.from_numpy(attacked)), space, budget=budget, run=run
    )
    n, standing = len(samples), len(attacked) - int(outcome.fallen.sum())
    clean = proportion("clean_accuracy", len(attacked), n, better="higher")
    robust = proportion("robust_accuracy", standing, n, better="higher")
    return Robustness(samples, predicted, correct, attacked, outcome, clean, robust)


def run_attacks(
    attacks: Sequence[Stage],
    model: Model,
    data: Dataset,
    threat: ThreatModel,
    *,
    split: str = "test",
    samples: int = 1_000,
    seed: int = 0,
    rows_per_pass: int = 64,
) -> Robustness:
    """Measure robust accuracy under the given attacks.

    Args:
        attacks: Stages, e.g. ``[stage("pgd", steps=40)]``, cheapest first.
        model: The model.
        data: Where the samples come from.
        threat: The attacker.
        split: Name of the attacked split.
        samples: How many of its rows.
        seed: Root of the seed tree.
        rows_per_pass: Samples per model pass; never changes the result.

    Raises:
        UsageError: An attack does not fit the threat model's norm.
        Unavailable: An attack needs more access than the threat grants or the model offers.
        ModelError: The model answered with something unusable.
    """
    for item in attacks:
        require(item, model, threat)
    root = Seed(seed)
    return measure_robustness(
        attacks,
        Passes(model, rows_per_pass),
        choose_samples(data.split(split), samples, root.child("samples")),
        PerturbationSet.of(threat, data.schema),
        budget=threat.queries,
        run=Run(root.child("evasion")),
    )


def require(item: Stage, model: Model, threat: ThreatModel) -> None:
    """Refuse an attack that does not fit.

    Raises:
        Unavailable: It needs more access than granted or offered, or does not work in the norm.
    """
    facts = item.facts
    if facts.access > threat.access:
        raise Unavailable(
            f"{item.label} needs {facts.access} access; the threat model grants {threat.access}."
        )
    if facts.access is Access.GRADIENT and not isinstance(model, Differentiable):
        raise Unavailable(
            f"{item.label} needs gradients and {model.info.name} ({model.info.kind}) gives none.",
            remedy="use an attack that needs scores only, e.g. square, or give the PyTorch model",
        )
    if threat.norm not in facts.norms:
        raise Unavailable(f"{item.label} does not work under {threat.norm}.", expected=", ".join(facts.norms))
