"""Ensembles with a name."""

from __future__ import annotations

import pytest

from gambeson.attacks.protocols import autoattack
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm


def test_autoattack_is_the_published_list():
    stages = autoattack(Norm.LINF, 10)
    assert [s.label for s in stages] == [
        "apgd-ce(100)",
        "apgd-t(100, 9 targets)",
        "fab-t(100, 9 targets)",
        "square(5000)",
    ]
    assert [s.attack.length for s in stages] == [101, 909, 900, 4_999]


def test_autoattack_takes_the_classes_there_are():
    assert autoattack(Norm.L2, 5)[1].attack.targets == 4


@pytest.mark.parametrize(
    ("norm", "classes", "said"), [(Norm.L0, 10, "under l0"), (Norm.LINF, 3, "at least 4 classes")]
)
def test_autoattack_is_refused_where_it_is_not_defined(norm, classes, said):
    with pytest.raises(Unavailable, match=said):
        autoattack(norm, classes)
