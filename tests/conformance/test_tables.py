"""Every registered attack on a table with relations: what it finds are rows that could exist, and it finds some."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.base import evasion
from gambeson.core.threat import Norm
from tests.conformance.test_evasion import CASES, SMALL
from tests.table_world import attack, model
from tests.tables import faults, recoded, schema

EPS = {Norm.LINF: 0.5, Norm.L2: 0.8, Norm.L1: 1.2, Norm.L0: 3.0}
SUM = model(net=0.3, tax=-0.2, rate=3.0, start=0.5, gross=0.1, bias=-9.0)


@pytest.mark.parametrize(("name", "norm"), CASES, ids=[f"{name}-{norm}" for name, norm in CASES])
def test_what_it_finds_could_exist_and_it_finds_some(name, norm):
    found, x = attack(name, SUM, norm, EPS[norm], categories=1, n=16, **SMALL.get(name, {}))
    assert faults(schema(), x, found.adversarial) == []
    assert recoded(x, found.adversarial).max() <= 1
    assert found.fallen.sum() > 0
    if not evasion[name].facts.minimum_norm:
        assert found.strays == 0


@pytest.mark.parametrize("name", ["tabular", "tabular_labels"])
def test_a_tables_own_attacks_keep_their_seed_and_their_budget(name):
    first, again = (attack(name, SUM, categories=1, n=8, queries=40)[0] for _ in range(2))
    np.testing.assert_array_equal(first.adversarial, again.adversarial)
    assert first.queries.max() <= 40
    assert not first.overspent
