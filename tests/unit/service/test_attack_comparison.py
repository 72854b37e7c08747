from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gambeson.core.stats import proportion
from gambeson.core.threat import Norm, ThreatModel
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_comparison import compare, overlaid, together

COMMAND = AttackCommand(("weak", "strong"), "m", "d")


def left(fallen, queries, distance=None):
    fallen, n = np.array(fallen, bool), len(fallen)
    distance = np.where(fallen, 1.0 if distance is None else distance, np.inf)
    outcome = SimpleNamespace(
        fallen=fallen,
        queries=np.array(queries),
        distance=distance,
        fell_at=np.where(fallen, 1.0, np.inf),
        records=(),
    )
    standing = n - int(fallen.sum())
    return SimpleNamespace(
        samples=range(n),
        attacked=np.arange(n),
        outcome=outcome,
        clean_accuracy=proportion("clean_accuracy", n, n),
        robust_accuracy=proportion("robust_accuracy", standing, n),
    )


FOUND = (left([1, 1, 0, 0], [2, 4, 9, 9]), left([0, 1, 1, 0], [20, 20, 8, 20]))


def test_who_broke_what_alone_and_at_which_cost():
    table = compare(COMMAND, FOUND)
    assert table.rows == (("weak", 50.0, 2, 1, 3.0, 6.0), ("strong", 50.0, 2, 1, 14.0, 17.0))


def test_the_strongest_comes_first():
    table = compare(COMMAND, (FOUND[0], left([1, 1, 1, 0], [1, 1, 1, 1])))
    assert [row[0] for row in table.rows] == ["strong", "weak"]


def test_together_an_input_falls_to_any():
    robust = together(COMMAND, FOUND)[1]
    assert (robust.name, robust.value, robust.n) == ("robust_accuracy", 0.25, 4)


def test_together_the_nearest_of_all_counts():
    command = AttackCommand(("a", "b"), "m", "d", threat=ThreatModel(Norm.L2), nearest=True)
    found = (
        left([1, 1, 1, 0], [1] * 4, [3.0, 1.0, 5.0, 0.0]),
        left([1, 0, 1, 0], [1] * 4, [2.0, 0, 6.0, 0]),
    )
    assert together(command, found)[1].value == pytest.approx(2.0)
    rows = compare(command, found).rows
    assert rows == (("a", 3.0, 3, 2, 1.0), ("b", 4.0, 2, 1, 1.0))
    (curve,) = overlaid(command, found).curves
    assert [s.name for s in curve.series] == ["a", "b", "clean accuracy"]


def test_one_chart_shows_all():
    (curve,) = overlaid(COMMAND, FOUND).curves
    assert [s.name for s in curve.series] == ["weak", "strong", "clean accuracy"]
    assert curve.series[0].y[-1] == 0.5


def test_where_nothing_fell_there_is_no_median():
    nothing = left([0, 0], [5, 5])
    assert compare(COMMAND, (nothing, nothing)).rows[0][4] is None
