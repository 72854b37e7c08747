from __future__ import annotations

import pytest

from gambeson.audit.base import checks
from tests.unit.audit.checks.evasion_worlds import context, standing


def curve(**changes):
    (finding,) = checks["evasion.gradient"].plugin(context(**changes))
    return finding, next((c for c in finding.evidence.curves if c.kind == "robust_accuracy_by_eps"), None)


def test_every_point_is_the_one_known_from_the_distances():
    _, drawn = curve(eps=0.21)
    measured = drawn.series[0]
    assert measured.x == pytest.approx((0.0, 0.105, 0.21, 0.315))
    assert measured.y == pytest.approx([standing(r) for r in (0.0, 0.105, 0.21, 0.315)])
    assert all(low <= y <= high for low, y, high in zip(measured.low, measured.y, measured.high, strict=True))


def test_it_never_rises():
    _, drawn = curve(eps=0.3)
    assert list(drawn.series[0].y) == sorted(drawn.series[0].y, reverse=True)


def test_without_time_there_is_no_curve_and_the_report_says_so():
    finding, drawn = curve(deadline=0.0, clock=lambda: 1.0)
    assert drawn is None
    assert any("was not measured" in note for note in finding.cut)
