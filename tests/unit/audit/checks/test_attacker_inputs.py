"""What an attacker holds: rows of the training split, or rows that are not audited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.audit.checks.attacker_inputs import own_inputs
from gambeson.core.errors import InsufficientEvidence
from tests.unit.audit.checks.evasion_worlds import DATA, X, Y, context

AUDITED = np.arange(10)


def test_rows_of_the_training_split_are_taken_where_there_is_one():
    both = replace(DATA, splits={**DATA.splits, "train": DATA.splits["test"]})
    x, y, source = own_inputs(context(data=both), AUDITED, most=1_000)
    assert source == "the split 'train'"
    assert len(x) == len(X)
    pairs = {(float(a), int(b)) for a, b in zip(X[:, 0], Y, strict=True)}
    assert {(float(a), int(b)) for a, b in zip(x[:, 0], y, strict=True)} == pairs
    assert not torch.equal(x[:, 0], torch.from_numpy(X[:, 0]))  # in random order


def test_else_rows_that_are_not_audited():
    x, _, source = own_inputs(context(), AUDITED, most=30)
    assert source == "the split 'test'"
    assert len(x) == 30
    assert not set(x[:, 0].tolist()) & set(X[AUDITED, 0].tolist())


def test_too_few_are_refused_with_what_to_do():
    with pytest.raises(
        InsufficientEvidence, match=r"(?s)There are 8 inputs.*at least 10 for each.*ask a friend"
    ):
        own_inputs(context(), np.arange(40), most=30, remedy="ask a friend")
