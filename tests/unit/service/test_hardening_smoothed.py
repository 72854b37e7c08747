"""Certificates in the report: counted by hand, and drawn for the network before and after."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.certify.smoothing import ABSTAIN, SmoothedAnswers, Smoothing
from gambeson.core.ports import NoProgress
from gambeson.service.hardening import run_harden
from gambeson.service.hardening_smoothed import certified_evidence
from tests.unit.service.test_hardening import command


def test_what_is_certified_is_right_and_further_than_the_radius():
    how = Smoothing(0.5, n=1_000)
    answers = SmoothedAnswers(
        np.array([1, 0, ABSTAIN, 1]), np.array([1.1, 0.6, 0.0, 1.3]), np.array([0.9, 0.8, 0.4, 0.95])
    )
    evidence = certified_evidence({"net": answers}, np.array([1, 0, 0, 0]), how)
    (series,) = evidence.curves[0].series
    assert series.y[0] == 0.5  # two of four are right; one abstains, one is wrong
    assert series.x[-1] == pytest.approx(how.largest)
    assert all(low <= y <= high for low, y, high in zip(series.low, series.y, series.high, strict=True))
    (row,) = evidence.tables[0].rows
    assert [text.split()[0] for text in row[1:]] == ["0.500", "0.500", "0.250"]


def test_training_with_noise_is_drawn_with_its_certificates(digits_net, tmp_path):
    asked = command(
        digits_net, tmp_path, recipes=("smoothing",), parameters=(("certify", 40), ("copies", 100)), epochs=8
    )
    (candidate,) = run_harden(asked, NoProgress()).candidates
    curve = candidate.evidence.curves[-1]
    before, after = curve.series
    assert (before.name, after.name) == ("before", "trained with noise")
    assert sum(after.y) > sum(before.y)
    assert "certified" in (tmp_path / "harden.html").read_text()
