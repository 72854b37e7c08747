"""From flags to the command of hardening."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli.harden import harden
from gambeson.interfaces.cli.harden_command import harden_command


def command(**given):
    flags = {name: p.default for name, p in inspect.signature(harden).parameters.items()}
    return harden_command({**flags, "model": "net.pt", "data": "x.npz", **given}, {})


def test_nothing_given_is_what_fits_the_model_on_its_own_weights():
    asked = command()
    assert asked.recipes == ()
    assert asked.members == 1
    assert not asked.fresh
    assert (asked.epochs, asked.batch, asked.budget) == (None, None, None)


def test_flags_reach_plan_and_judge():
    asked = command(
        recipe=["pgd,mart"],
        param=["mart.beta=2"],
        learning_rate="0.01",
        patience="3",
        train_batch="32",
        time_budget="2m",
        optimizer="SGD",
        full_precision=True,
        eps="0.1",
        out=Path("there"),
    )
    assert asked.recipes == ("pgd", "mart")
    assert asked.parameters == (("mart.beta", 2),)
    assert (asked.plan.learning_rate, asked.plan.patience, asked.plan.optimizer) == (0.01, 3, "sgd")
    assert not asked.plan.half
    assert (asked.batch, asked.budget, asked.out) == (32, 120.0, Path("there"))
    assert asked.audit.threats[0].eps == 0.1


@pytest.mark.parametrize(
    "wrong", [{"learning_rate": "fast"}, {"epochs": "1.5"}, {"ramp": "nan"}, {"time_budget": "soon"}]
)
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(UsageError):
        command(**wrong)


def test_an_epsilon_names_the_private_recipe_and_is_its_promise():
    given = command(epsilon="3", delta="1e-5", param=["clip=1"])
    assert given.recipes == ("private",)
    assert given.parameters_of("private") == {"epsilon": 3.0, "delta": 1e-5, "clip": 1}


def test_an_epsilon_beside_other_recipes_is_for_the_private_one():
    given = command(epsilon="3", recipe=["pgd,private"])
    assert given.recipes == ("pgd", "private")
    assert given.parameters_of("pgd") == {}


def test_an_epsilon_that_no_recipe_keeps_is_refused():
    with pytest.raises(UsageError, match="promised by no recipe"):
        command(epsilon="3", recipe=["pgd"])


def test_perturbations_are_kept_on_request():
    assert command(keep_perturbations=True).plan.keep
    assert not command().plan.keep
