"""A figure is never quoted without its n, nor without its interval where it has one."""

from __future__ import annotations

import dataclasses

import pytest

from gambeson.core.measurement import Interval, Measurement


def test_a_figure_is_quoted_with_interval_and_n():
    figure = Measurement("robust_accuracy", 0.412, "fraction", 10_000, Interval(0.4023, 0.4217, "wilson"))
    assert str(figure) == "0.412 [0.402, 0.422] (n=10000)"


def test_an_exact_figure_is_quoted_with_n_alone():
    assert str(Measurement("queries", 1_250, "queries", 40)) == "1.25e+03 (n=40)"


def test_an_interval_is_at_95_percent_unless_told():
    assert Interval(0, 1, "wilson").level == 0.95


def test_a_figure_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Measurement("auc", 0.5, "fraction", 10).value = 0.4
