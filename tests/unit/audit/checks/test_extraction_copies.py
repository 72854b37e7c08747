"""Copies in an audit: answers survive a failing endpoint, and examples made on a copy are tried on the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.adapters.journal_files import FileJournal
from gambeson.audit.base import PROFILES
from gambeson.audit.checks.extraction_copies import Thief, classes_of
from gambeson.core.errors import ModelError
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.models.passes import Passes
from tests.table_world import black_box
from tests.tables import rows, schema
from tests.tiny_models import ScoreModel, linear
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import open_net, picture_context

EFFORT = replace(PROFILES["quick"], samples=60, steps=6)


def test_classes_are_those_with_the_highest_score():
    eye = torch.eye(2)
    assert classes_of(Passes(linear([[1.0, 0.0], [0.0, 1.0]])), eye).tolist() == [0, 1]


def test_answers_of_an_endpoint_that_failed_are_not_bought_again(digits_net, tmp_path):
    net, journal, seen = open_net(digits_net), FileJournal(tmp_path), []

    def endpoint(patience):
        def answer(x):
            if len(seen) + len(x) > patience:
                raise OSError("503 Service Unavailable")
            seen.extend(row.tobytes() for row in x)
            return net.scores(x)

        return ScoreModel(answer, (1, 8, 8), 10)

    made = picture_context("extraction.labels", endpoint(400), effort=EFFORT, journal=journal)
    with pytest.raises(ModelError, match="503"):
        list(Thief(made).trials())
    first = set(seen)
    seen.clear()
    mended = Thief(replace(made, model=endpoint(10**9)))
    (trial,) = mended.trials()
    assert trial.queries == 500
    bought_twice = first & set(seen) - {row.tobytes() for row in mended.samples.x.numpy()}
    assert not bought_twice
    assert len(first) > 300


def test_examples_made_on_the_copy_are_tried_on_the_model(digits_net):
    (trial,) = Thief(picture_context("extraction.scores", open_net(digits_net), effort=EFFORT)).trials()
    success, random = trial.transfer
    assert success.name == "transfer_success_rate"
    assert success.n == random.n == int((trial.fooled[0] >= 0).sum()) > 40
    assert success.value >= random.value


def test_trees_are_the_student_of_a_table_of_trees():
    def rule(x):
        return np.where(np.isin(x[:, 6], (0, 2)) ^ (x[:, 4] % 2 == 0), 1.0, -1.0)

    splits = {
        name: ArraySplit(rows(n, seed=n), np.arange(n) % 2) for name, n in (("train", 700), ("test", 80))
    }
    made = context(
        "extraction.labels", model=black_box(rule), data=Dataset("people", schema(), splits, "sha256:0")
    )
    (trial,) = Thief(replace(made, effort=EFFORT)).trials()
    assert trial.student == "trees"
    assert trial.transfer == ()  # trees give no gradients to make examples with
