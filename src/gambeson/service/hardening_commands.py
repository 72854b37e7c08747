"""The command of ``gambeson harden``, and the command line that repeats it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.defenses.answers import answers
from gambeson.defenses.fitted import fitted_recipes
from gambeson.defenses.poisoning.removal import removals
from gambeson.defenses.private.base import private_recipes
from gambeson.defenses.training.base import recipes
from gambeson.defenses.training.plan import Plan
from gambeson.defenses.transformations import transformations
from gambeson.service.command_line import command_line
from gambeson.service.commands import AuditCommand

_ENSEMBLES = "dverge"
"""The recipe that makes sense for an ensemble alone."""
KINDS = (recipes, private_recipes, fitted_recipes, transformations, answers, removals)
"""Registries of recipes: robust, private, for fitted models, transformations of inputs and of answers, repairs."""
_SWITCHES = {"half": "--full-precision", "keep": "--keep-perturbations"}
"""Flags without a value, by the part of the plan that they turn round."""


@dataclass(frozen=True, slots=True)
class HardenCommand:
    """One or several recipes on one model, each judged by the same audit as the model it began with.

    Attributes:
        audit: The judge: model, data, attacker, seed, effort, checks.
        recipes: Registered names; empty for the one that fits the model.
        parameters: Of the recipes, by name; ``"trades.beta"`` is for trades alone.
        members: Networks of an ensemble that is trained as one; 1 for a single network.
        fresh: Train from new weights instead of the model's own.
        plan: How to train; its epochs and batch count only where they were chosen.
        epochs: Passes over the training rows, or ``None`` to choose by budget or size of the data.
        batch: Rows of a step, or ``None`` to choose by size of the data.
        budget: Seconds of training for each recipe, or ``None``.
        held_out: Most training rows that only show how the training goes.
        out: Folder for models, audits and the report.
        resume: Go on with what ``out`` holds.
    """

    audit: AuditCommand
    recipes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, object], ...] = ()
    members: int = 1
    fresh: bool = False
    plan: Plan = field(default_factory=Plan)
    epochs: int | None = None
    batch: int | None = None
    budget: float | None = None
    held_out: int = 1_000
    out: Path = Path("gambeson-harden")
    resume: bool = False

    def parameters_of(self, recipe: str) -> dict[str, object]:
        """The parameters that one of the recipes gets."""
        found: dict[str, object] = {}
        for name, value in self.parameters:
            owner, _, own = name.rpartition(".")
            if owner in ("", recipe):
                found[own] = value
        return found


def check_harden(command: HardenCommand) -> None:
    """What can be wrong before anything is opened.

    Raises:
        UsageError: It is.
    """
    for name in command.recipes:
        _check_recipe(command, name)
    for name, _ in command.parameters:
        owner = name.rpartition(".")[0]
        if owner and owner not in command.recipes:
            raise UsageError(
                f"--param {name} is for {owner}, which is not trained.", expected=", ".join(command.recipes)
            )
    if command.epochs is not None and command.budget is not None:
        raise UsageError(
            "--epochs and --time-budget both say how long to train.", remedy="give one of the two"
        )
    if command.members < 1:
        raise UsageError(f"{command.members} members were asked for.", expected="at least 1")
    if len(command.audit.threats) != 1:
        raise UsageError(
            f"The settings name {len(command.audit.threats)} attackers; a recipe trains against one.",
            remedy="give --norm and --eps, or another --config",
        )


def recipe_names() -> tuple[str, ...]:
    """Every recipe, of any kind."""
    return tuple(sorted(name for kind in KINDS for name in kind.names()))


def _check_recipe(command: HardenCommand, name: str) -> None:
    if name not in recipe_names():
        near = get_close_matches(name, recipe_names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"Unknown recipe {name!r}.", expected=", ".join(recipe_names()), remedy=hint)
    parameters = command.parameters_of(name)
    if name in recipes:
        recipes.make(name, parameters)
        if name == _ENSEMBLES and command.members < 2:
            raise UsageError(f"The recipe {name} trains an ensemble.", remedy="add --members 3")
        return
    next(kind for kind in KINDS if name in kind).make(name, parameters)
    if name in transformations or name in answers or name in removals:
        return
    if command.budget is not None:
        raise UsageError(
            f"The recipe {name} takes no time budget: what it gives depends on its steps.",
            remedy="give --epochs" if name in private_recipes else f"give -p {name}.rounds=N",
        )
    if command.members > 1:
        raise UsageError(f"The recipe {name} trains no ensemble.", remedy="leave --members out")


def harden_line(command: HardenCommand) -> str:
    """A ``gambeson harden`` command that trains and judges the same again; only what decides the result is written."""
    words = shlex.split(command_line(command.audit))
    words[1] = "harden"
    words += ["--recipe", ",".join(command.recipes)]
    for name, value in command.parameters:
        words += ["--param", f"{name}={value}"]
    words += ["--members", str(command.members)] if command.members > 1 else []
    words += ["--fresh"] if command.fresh else []
    for flag, number in (("--epochs", command.epochs), ("--train-batch", command.batch)):
        words += [] if number is None else [flag, str(number)]
    words += [] if command.budget is None else ["--time-budget", f"{command.budget:g}s"]
    usual = Plan()
    for item in fields(Plan):
        value, flag = getattr(command.plan, item.name), "--" + item.name.replace("_", "-")
        if item.name in ("epochs", "batch", "guard") or value == getattr(usual, item.name):
            continue
        words += [_SWITCHES[item.name]] if item.name in _SWITCHES else [flag, f"{value}"]
    return shlex.join(words)
