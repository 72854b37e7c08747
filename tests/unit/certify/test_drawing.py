"""The interval as a curve."""

from __future__ import annotations

import numpy as np

from gambeson.certify.brackets import Attacked, brackets
from gambeson.certify.drawing import bracket_curve
from gambeson.core.threat import ThreatModel
from tests.unit.certify.test_brackets import CERTIFIED, CORRECT, FALLEN, INDEX, RADII


def test_both_lines_start_at_the_clean_accuracy_and_the_certified_one_is_below():
    found = brackets(RADII, CERTIFIED, Attacked(CORRECT, FALLEN, 0), INDEX)
    curve = bracket_curve(found, 0.75, ThreatModel())
    attacked, certified, clean = curve.series
    assert attacked.x == certified.x == (0.0, 0.1, 0.2)
    assert attacked.y == (0.75, 0.75, 0.5)
    assert certified.y == (0.75, 0.5, 0.25)
    assert (np.array(certified.low) <= certified.y).all()
    assert clean.reference
    assert "input units" in curve.x_label
    assert "range" in bracket_curve(found, 0.75, ThreatModel(unit="range")).x_label
