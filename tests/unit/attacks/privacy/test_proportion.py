"""Property inference: drawing a share, and guessing which of two a model was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.attacks.privacy.proportion import (
    Shares,
    draw_with_share,
    rows_per_model,
    seems_larger,
    shares_around,
)
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed


def test_the_shares_lie_around_the_truth_and_keep_away_from_the_ends():
    assert shares_around(0.5) == Shares(0.3, 0.7)
    assert shares_around(0.1) == Shares(0.05, pytest.approx(0.3))
    assert shares_around(0.9) == Shares(pytest.approx(0.7), 0.95)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.1, 0.3, 0.5]))
def test_what_is_planned_can_be_drawn(with_it, without, small):
    has = np.arange(with_it + without) < with_it
    shares = Shares(small, 1 - small)
    rows = rows_per_model(has, shares, 50)
    for share in (shares.small, shares.large):
        try:
            drawn = draw_with_share(has, share, rows, Seed(0))
        except InsufficientEvidence:
            assert rows <= 2 or abs(share * rows - round(share * rows)) > 0  # rounding may ask for one more
            continue
        assert len(set(drawn.tolist())) == rows
        assert has[drawn].sum() == round(share * rows)


def test_too_few_of_a_kind_are_refused():
    with pytest.raises(InsufficientEvidence, match="3 have the property"):
        draw_with_share(np.arange(10) < 3, 0.8, 10, Seed(0))


def test_a_model_is_put_beside_the_models_it_answers_like():
    def answers(p):
        return np.log(np.array([[p, 1 - p]] * 5))

    small, large = np.stack([answers(0.2), answers(0.3)]), np.stack([answers(0.7), answers(0.8)])
    assert seems_larger(answers(0.75), small, large)
    assert not seems_larger(answers(0.25), small, large)
