"""A private network from a recipe: layers looked at, features made once, trained, put together, stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError
from gambeson.data.dataset import Split
from gambeson.defenses.private.accounting import concerns
from gambeson.defenses.private.base import PrivateRecipe
from gambeson.defenses.private.canaries import self_test
from gambeson.defenses.private.draws import Draws, SecretDraws, SeededDraws
from gambeson.defenses.private.features import Standardise, divide, features_of, fit, standardiser
from gambeson.defenses.private.layers import require_private, without_batch_norm
from gambeson.defenses.private.loop import PrivatelyTrained, PrivateTask, train_privately
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.defenses.private.sampling import examine_sampling
from gambeson.defenses.private.statement import PrivacyStatement, state
from gambeson.models.torch_trainee import Trainee

_SELF_TEST_EPSILON = 2.0
_SAMPLED = 50, 0.1
"""Rows and rate of the draws that are examined."""


@dataclass(frozen=True, slots=True)
class PrivateNetwork:
    """What came of a recipe.

    Attributes:
        network: All of it, in evaluation mode.
        steps: Steps made.
        complete: Whether training came to its end; else nothing is promised.
        plan: What it was trained by.
        statement: The promise; ``None`` where training did not come to its end.
    """

    network: Trainee
    steps: int
    complete: bool
    plan: PrivatePlan
    statement: PrivacyStatement | None


def make_private(
    trainee: Trainee, recipe: PrivateRecipe, plan: PrivatePlan, split: Split, run: Run
) -> PrivateNetwork:
    """Train a network privately on every row of a split.

    Fixed layers at the front of a sequence are computed once. A layer that standardises right behind them learns its
    means and variances privately first, which the promise covers.

    Args:
        trainee: Its weights must know nothing of the records; it is changed.
        recipe: What the user chose.
        plan: What it comes to for these records.
        split: The records.
        run: Seeds, journal, deadline, progress; ``run.report`` gets a count of steps.

    Raises:
        UsageError: The plan or a layer does not fit.
        ModelError: A gradient is no number, or the self-test found this installation to be broken.
        Unavailable: The package ``dp-accounting`` is missing.
    """
    if recipe.replace:
        trainee = replace(trainee, module=without_batch_norm(trainee.module))
    front, rest = divide(trainee.module)
    require_private(rest)
    layer = standardiser(rest)
    releases = () if layer is None else (recipe.moments_noise, recipe.moments_noise)
    mechanism = plan.mechanism(len(split), releases)
    draws: Draws = SeededDraws(run.seed.child("private")) if recipe.repeatable else SecretDraws()
    tested = _self_tested(recipe, draws, run)
    records = split if front is None else features_of(front, trainee, split)
    if layer is not None:
        _standardise(layer, records, recipe.moments_noise, draws, run)
    trained = train_privately(
        replace(trainee, module=rest), PrivateTask(plan, mechanism, records, draws, run)
    )
    statement = state(
        plan, mechanism, len(split), secret=draws.secret, public=recipe.public, self_test=tested
    )
    return PrivateNetwork(
        network=_whole(trainee, rest, trained),
        steps=trained.steps,
        complete=trained.complete,
        plan=plan,
        statement=statement if trained.complete else None,
    )


def questions(plan: PrivatePlan, records: int) -> list[str]:
    """What is questionable about a plan's promise, to be said before the work begins."""
    return concerns(plan.epsilon, plan.delta_for(records), records)


def _self_tested(recipe: PrivateRecipe, draws: Draws, run: Run) -> str:
    """What canaries say of this installation, once for a training that is resumed."""
    if not recipe.self_test:
        return ""
    key = f"{run.key}/self-test"
    stored = run.journal.load(key)
    if stored is not None:
        return str(stored["words"])
    sampling = examine_sampling(draws, *_SAMPLED)
    if not sampling.is_poisson:
        raise ModelError(f"Rows are not drawn as the promise assumes: {sampling}.")
    found = self_test(_SELF_TEST_EPSILON, run.seed.child("self-test"))
    if found.refuted:
        raise ModelError(
            f"Private training is broken in this installation: {found}.",
            remedy="publish nothing that it trained; run the tests of gambeson.defenses.private",
        )
    run.journal.save(key, {"words": np.array(str(found))})
    return str(found)


def _standardise(layer: Standardise, records: Split, noise: float, draws: Draws, run: Run) -> None:
    """Means and variances, drawn once: a resumed training must not learn them a second time."""
    key = f"{run.key}/moments"
    stored = run.journal.load(key)
    if stored is None:
        fit(layer, records, noise, draws)
        run.journal.save(key, {"mean": layer.mean.cpu().numpy(), "deviation": layer.deviation.cpu().numpy()})
        return
    layer.mean.copy_(torch.from_numpy(stored["mean"].copy()))
    layer.deviation.copy_(torch.from_numpy(stored["deviation"].copy()))


def _whole(trainee: Trainee, rest: nn.Module, trained: PrivatelyTrained) -> Trainee:
    """The whole network with the weights that training gave its rest."""
    rest.load_state_dict(trained.network.module.state_dict())
    trainee.module.eval().requires_grad_(False)
    return trainee
