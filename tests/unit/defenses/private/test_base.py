"""The recipe: what the number of records decides, and that only its own parameters are taken."""

from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.defenses.private.base import PrivateRecipe, private_recipes


@pytest.mark.parametrize(("records", "batch"), [(100, 100), (1_437, 256), (60_000, 600)])
def test_the_number_of_records_decides_the_batch(records, batch):
    plan = PrivateRecipe(epsilon=1.0).plan(records, None, None)
    assert (plan.batch, plan.epochs, plan.epsilon) == (batch, 40, 1.0)


def test_regression_makes_a_hundred_steps_on_all_rows():
    plan = private_recipes.make("private_regression", {"epsilon": 1.0}).plan(5_000, None, None)
    assert (plan.batch, plan.steps(5_000), plan.clip) == (5_000, 100, 1.0)


def test_what_is_given_counts():
    plan = PrivateRecipe(clip=0.3).plan(1_000, 7, 20)
    assert (plan.batch, plan.epochs, plan.clip) == (20, 7, 0.3)


def test_unknown_parameters_are_refused():
    assert private_recipes.make("private", {"epsilon": 2}).epsilon == 2
    with pytest.raises(UsageError, match="noise"):
        private_recipes.make("private", {"noise": 1})
