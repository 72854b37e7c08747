"""Every recipe for models that are fitted keeps the contract."""

from __future__ import annotations

import pytest

from gambeson.defenses.fitted import fitted_recipes


def test_both_are_there():
    assert set(fitted_recipes.names()) >= {"augmentation", "monotone"}


@pytest.mark.parametrize("name", fitted_recipes.names())
def test_a_recipe_names_its_source_and_its_rounds(name):
    assert fitted_recipes[name].facts.source
    assert fitted_recipes.make(name, {}).rounds >= 1
