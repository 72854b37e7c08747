"""Transfer between linear members, where it can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.core.errors import InsufficientEvidence
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.transferability import transfer_counts, transfer_shares, transfer_success
from tests.training_world import linear, space

FIRST = linear([[-1.0, 0.0], [1.0, 0.0]], [0.5, -0.5])  # looks at the first feature, boundary at 0.5
SECOND = linear([[0.0, -1.0], [0.0, 1.0]], [0.5, -0.5])  # at the second
TWIN = linear([[-2.0, 0.0], [2.0, 0.0]], [1.0, -1.0])  # as the first
X = torch.tensor([[0.45, 0.2], [0.2, 0.45], [0.55, 0.9]])
Y = torch.tensor([0, 0, 1])


def test_members_that_look_at_different_features_share_nothing():
    fooled, tried = transfer_counts([FIRST, SECOND], X, Y, space(0.1))
    assert fooled.tolist() == [[2, 0], [0, 1]]
    assert tried.tolist() == [[3, 2], [1, 3]]
    assert transfer_success(fooled, tried).value == 0


def test_twins_share_everything():
    figure = transfer_success(*transfer_counts([FIRST, TWIN], X, Y, space(0.1)))
    assert (figure.value, figure.n) == (1.0, 4)


def test_what_a_member_gets_wrong_anyway_is_no_transfer():
    wrong = linear([[1.0, 0.0], [-1.0, 0.0]], [-0.5, 0.5])
    fooled, tried = transfer_counts([FIRST, wrong], X, Y, space(0.1))
    assert tried[0, 1] == 0
    assert fooled[0, 1] == 0


def test_without_one_adversarial_example_there_is_no_share():
    counts = transfer_counts([FIRST, SECOND], X, Y, space(0.01))
    with pytest.raises(InsufficientEvidence):
        transfer_success(*counts)


def test_shares_stand_line_by_line_with_a_gap_where_nothing_was_tried():
    wrong = linear([[1.0, 0.0], [-1.0, 0.0]], [-0.5, 0.5])
    split = ArraySplit(X.numpy(), Y.numpy())
    shares = transfer_shares([FIRST, wrong], split, np.arange(3), space(0.1))
    assert shares[0] == (2 / 3, None)
