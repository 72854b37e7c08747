"""Makes a candidate of ``gambeson harden`` of a model that is fitted: trees, linear models, pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gambeson.adapters.files import write_whole
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.errors import UsageError
from gambeson.core.finding import Evidence
from gambeson.defenses.fitted import FittedRecipe, Round, fitted_recipes
from gambeson.models.model import Model, Savable
from gambeson.service.hardening_charts import accuracy_while_training
from gambeson.service.hardening_training import Made, Report, Scene, in_words


def require_fitted(model: Model, name: str, parameters: Mapping[str, object]) -> Savable:
    """The model, if a recipe can fit it anew and save it.

    Raises:
        UsageError: It cannot.
    """
    if not isinstance(model, Savable):
        raise UsageError(
            f"{model.info.name} ({model.info.kind}) cannot be fitted anew.",
            expected="scikit-learn (.skops), XGBoost (.json, .ubj) or LightGBM (.txt)",
            remedy="for a PyTorch network name another recipe, e.g. --recipe trades",
        )
    recipe: FittedRecipe = fitted_recipes.make(name, dict(parameters))
    recipe.check(model)
    return model


def fitted_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Fit against the attacker, and write the model if all rounds were made.

    Args:
        scene: What all recipes have in common.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned rounds, rounds made since, note)``.

    Raises:
        UsageError: The model cannot be fitted anew.
        ModelError: Fitting failed.
        Unavailable: No black-box attack works within the perturbation set, or a package is missing.
        OSError: The folder cannot be written to.
    """
    parameters = scene.command.parameters_of(name)
    model = require_fitted(scene.model, name, parameters)
    plan: FittedRecipe = fitted_recipes.make(name, parameters)
    run = Run(
        scene.seed.child(name),
        deadline=float("inf"),
        clock=scene.clock,
        report=lambda work, _: report(plan.rounds, work, ""),
    )
    space = PerturbationSet.of(scene.command.audit.threats[0], scene.data.schema)
    made = plan.fit(model, scene.split, space, run, lambda line: report(plan.rounds, 0, line))
    file = f"model{made.model.suffix}"
    if made.complete:
        write_whole(folder / file, made.model.saved())
    return Made(
        steps=len(made.rounds),
        complete=made.complete,
        parameters=tuple(in_words(plan).items()),
        evidence=_evidence(made.rounds),
        fresh=True,
        file=file,
    )


def _evidence(rounds: Sequence[Round]) -> Evidence:
    if not rounds:
        return Evidence()
    counts = {"clean": [r.right for r in rounds], "under attack": [r.stand for r in rounds]}
    return accuracy_while_training(
        [float(i + 1) for i in range(len(rounds))], counts, rounds[0].held_out, "rounds"
    )
