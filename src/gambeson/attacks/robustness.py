"""Robust accuracy of a model under a list of attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.base import EvasionFacts, evasion
from gambeson.attacks.ensemble import EnsembleOutcome, Stage, run_in_turn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.sanity import Cause, depends_on_the_batch, diagnose_answers
from gambeson.core.errors import Unavailable
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.dataset import Dataset, Split
from gambeson.models.model import Differentiable, Model
from gambeson.models.passes import MOST_ROWS, Passes

_LOOKED_AT = 64
"""Samples that are asked twice before a model is attacked."""
_IN_COMPANY = 8
"""Samples that are asked in other company before a check."""


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
        Unavailable: The budget pays for not even one step of any stage.
        AccessDenied: An attack asked for more access than it declared.
        ModelError: The model answered with something unusable.
    """
    _require_budget(stages, budget)
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
    rows_per_pass: int = MOST_ROWS,
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
        Unavailable: An attack needs more access than the threat grants or the model offers, or the model's answers
            are random or depend on the batch.
        ModelError: The model answered with something unusable.
    """
    for item in attacks:
        require(item, model, threat)
    root = Seed(seed)
    passes, chosen = (
        Passes(model, rows_per_pass),
        choose_samples(data.split(split), samples, root.child("samples")),
    )
    require_steady(passes, chosen)
    return measure_robustness(
        attacks,
        passes,
        chosen,
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
            expected=f"under {threat.norm} without gradients: {_without_gradients(threat.norm)}",
            remedy="use one of these, or give the PyTorch network itself (.pt2, or weights with --factory)",
        )
    if threat.norm not in facts.norms:
        raise Unavailable(f"{item.label} does not work under {threat.norm}.", expected=", ".join(facts.norms))


def require_steady(passes: Passes, samples: Samples) -> None:
    """Refuse a model whose answers are random or depend on the batch: the figure of an attack would be luck.

    Raises:
        Unavailable: Its answers differ from one time to the next, or in other company.
        ModelError: The model does not answer.
    """
    found = diagnose_answers(passes, samples.x[:_LOOKED_AT].to(passes.device))
    name = passes.model.info.name
    if found.cause is Cause.BATCH_DEPENDENT:
        raise depends_on_the_batch(name, found)
    if found.cause is Cause.RANDOMISED:
        raise Unavailable(
            f"{name}: {found.detail} ({found.affected} of {found.of}).",
            expected="the same answer to the same input",
            remedy="switch dropout and noise off (model.eval()); where the randomness is a defence, gambeson audit "
            "judges the model by its mean answer (EOT)",
        )


def require_independent(model: Model, split: Split, rows: int) -> None:
    """Refuse a model whose answers depend on the batch: no figure about single inputs could be right.

    Args:
        model: The model.
        split: Where a few inputs to ask about come from.
        rows: Most rows of a pass.

    Raises:
        Unavailable: They do.
        ModelError: The model does not answer.
    """
    passes = Passes(model, rows)
    x, _ = split.take(np.arange(min(len(split), _IN_COMPANY)))
    found = diagnose_answers(passes, torch.from_numpy(x).to(passes.device))
    if found.cause is Cause.BATCH_DEPENDENT:
        raise depends_on_the_batch(model.info.name, found)


def _without_gradients(norm: Norm) -> str:
    """Names of the attacks that apply to a model without gradients."""
    return ", ".join(e.name for e in evasion if e.facts.access < Access.GRADIENT and norm in e.facts.norms)


def _require_budget(stages: Sequence[Stage], budget: int | None) -> None:
    """Refuse a budget under which nothing would be attacked, and the clean accuracy pass for a robust one."""
    least = min((_least_queries(item.facts) for item in stages), default=0)
    if budget is not None and budget < least:
        raise Unavailable(
            f"{' and '.join(item.label for item in stages)} can take no step within {budget} queries per input.",
            expected=f"a budget of at least {least} queries",
            remedy="raise --queries, or leave it out",
        )


def _least_queries(facts: EvasionFacts) -> int:
    """Queries of a start and one step; an attack that plans its steps needs one to start from and one to use it."""
    step = 2 if facts.queries_per_step is None else facts.queries_per_step
    return facts.queries_to_init + step
