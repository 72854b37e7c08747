import math

import numpy as np
import pytest
from scipy import stats

from gambeson.core.errors import InsufficientEvidence
from gambeson.defenses.poisoning.anomalies import combine, standout


def test_the_statistic_is_the_deleted_residual():
    values = np.array([1.0, 2.0, 3.0, 2.0, 9.0])
    found = standout("x", values)
    others = values[:4]
    t = (9 - others.mean()) / (others.std(ddof=1) * math.sqrt(1 + 1 / 4))
    assert found.label == 4
    assert math.isclose(found.t, t)
    assert math.isclose(found.p, 5 * stats.t.sf(t, 3), rel_tol=1e-6)


def test_p_values_are_no_smaller_than_chance():
    rng = np.random.default_rng(0)
    p = [standout("x", rng.normal(size=10)).p for _ in range(2000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.065


def test_three_classes_are_too_few():
    with pytest.raises(InsufficientEvidence):
        standout("x", np.ones(3))


def test_bonferroni():
    assert combine([0.01, 0.5, 0.2]) == 0.03
    assert combine([0.9, 0.8]) == 1.0
