"""The label-only tabular attack on a table whose weak spots are known."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.threat import Norm
from tests.linear_world import excess
from tests.table_world import attack, black_box, model
from tests.tables import faults, recoded, schema

SUM = model(net=1.0, tax=-1.0, start=2.0, bias=-10.0)


@pytest.mark.parametrize("norm", list(Norm))
def test_every_row_found_could_exist(norm):
    eps = {Norm.L0: 3.0, Norm.LINF: 0.3}.get(norm, 0.6)
    found, x = attack("tabular_labels", SUM, norm, eps, 1, queries=150)
    assert found.fallen.sum() > 8
    assert faults(schema(), x, found.adversarial) == []
    assert recoded(x, found.adversarial).max() <= 1


def test_it_finds_nearly_what_scores_find():
    labels, scores = (
        attack(name, SUM, n=24, queries=200)[0].fallen for name in ("tabular_labels", "tabular")
    )
    assert labels.sum() >= 0.9 * scores.sum() > 0


def test_changed_categories_are_taken_back_until_they_fit_the_budget():
    city = black_box(lambda x: np.where(x[:, 6] == 2, 1.0, -1.0))
    assert not attack("tabular_labels", city, queries=100)[0].fallen.any()
    found, x = attack("tabular_labels", city, categories=1, queries=150)
    assert found.fallen.all()
    assert recoded(x, found.adversarial).max() == 1


def test_without_a_radius_it_comes_nearer_the_longer_it_runs():
    short, long = (excess("tabular_labels", Norm.L2, queries=queries) for queries in (30, 300))
    assert long < short
