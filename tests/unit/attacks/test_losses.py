from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gambeson.attacks.losses import cross_entropy, dlr, margin, targeted_dlr

Z = torch.tensor([[4.0, 1.0, 3.0, -2.0]])


def test_values_match_the_formulas_by_hand():
    y = torch.tensor([0])
    assert float(margin(Z, y)) == -1
    assert float(dlr(Z, y)) == pytest.approx(-(4 - 3) / (4 - 1))
    assert float(targeted_dlr(Z, y, torch.tensor([1]))) == pytest.approx(-(4 - 1) / (4 - (1 - 2) / 2))
    total = sum(math.exp(v) for v in (4, 1, 3, -2))
    assert float(cross_entropy(Z, y)) == pytest.approx(math.log(total) - 4)


@given(shift=st.floats(-50, 50), scale=st.floats(0.1, 50))
def test_dlr_ignores_shift_and_scale_of_the_logits(shift, scale):
    y = torch.tensor([2])
    assert float(dlr(Z * scale + shift, y)) == pytest.approx(float(dlr(Z, y)), rel=1e-3)


@given(st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=6, unique=True), st.integers(0, 5))
def test_margin_is_positive_exactly_when_misclassified(scores, label):
    z, y = torch.tensor([scores]), torch.tensor([label % len(scores)])
    assert (float(margin(z, y)) > 0) == (int(z.argmax()) != int(y))


def test_two_and_three_classes_fall_back_to_the_margin():
    two, y = torch.tensor([[1.0, -1.0]]), torch.tensor([0])
    assert float(dlr(two, y)) == -2
    assert float(targeted_dlr(Z[:, :3], y, torch.tensor([1]))) == -3
