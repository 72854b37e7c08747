"""The tabular attack on a table whose weak spots are known."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.threat import Norm
from tests.table_world import attack, black_box, model
from tests.tables import faults, recoded, schema

SUM = model(net=1.0, tax=-1.0, start=2.0, bias=-10.0)


@pytest.mark.parametrize("norm", list(Norm))
def test_every_row_found_could_exist(norm):
    found, x = attack("tabular", SUM, norm, {Norm.L0: 3.0, Norm.LINF: 0.3}.get(norm, 0.6), 1, queries=150)
    assert found.fallen.sum() > 8
    assert found.strays == 0
    assert faults(schema(), x, found.adversarial) == []
    assert recoded(x, found.adversarial).max() <= 1


def test_it_uses_the_middle_of_a_range():
    """The only way out is a narrow window between two splits of a tree."""
    window = black_box(lambda x: np.where(np.abs(x[:, 5] - 0.5) < 0.04, 1.0, -1.0))
    found, _ = attack("tabular", window, eps=1.0, queries=600)
    assert found.fallen.all()


def test_categories_fall_only_where_they_may_change():
    city = black_box(lambda x: np.where(x[:, 6] == 2, 1.0, -1.0))
    assert not attack("tabular", city, queries=100)[0].fallen.any()
    found, x = attack("tabular", city, categories=1, queries=100)
    assert found.fallen.all()
    assert faults(schema(), x, found.adversarial) == []


def test_two_categories_that_only_work_together_need_a_budget_of_two():
    both = black_box(lambda x: (x[:, 6] == 2) * 1.0 + (x[:, 8] == 1) * 1.0 - 1.5)
    few, many = (attack("tabular", both, categories=c, n=24, queries=200)[0].fallen.sum() for c in (1, 2))
    assert few < many == 24


def test_a_weak_spot_behind_a_relation_is_found():
    """Only the computed column decides: it moves when its parts do."""
    found, x = attack("tabular", model(gross=1.0, bias=-30.5), eps=0.5, queries=150)
    assert found.fallen.mean() > 0.9
    assert faults(schema(), x, found.adversarial) == []
