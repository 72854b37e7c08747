"""Answers are counted, granted as declared, and never bought twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.extraction.purse import Purse
from gambeson.core.errors import BudgetExhausted, ModelError
from gambeson.core.threat import Access
from gambeson.models.passes import Passes
from tests.tiny_models import ScoreModel

X = torch.rand(600, 4, generator=torch.Generator().manual_seed(0))


class Endpoint:
    """Counts rows; fails once the ``patience`` is spent."""

    def __init__(self, patience=10**9):
        self.patience, self.rows = patience, []
        self.passes = Passes(ScoreModel(self.answer, (4,), 3))

    def answer(self, x):
        if len(self.rows) + len(x) > self.patience:
            raise OSError("429 Too Many Requests")
        self.rows += [row.tobytes() for row in x]
        return np.stack([x[:, 0], x[:, 1], x[:, 2] * 2], 1).astype(np.float32)


def test_scores_come_as_distributions_and_labels_as_certainties():
    passes = Endpoint().passes
    scores = Purse(passes, Access.SCORES, budget=600).ask(X)
    torch.testing.assert_close(scores, passes.scores(X).softmax(1))
    labels = Purse(passes, Access.LABELS, budget=600).ask(X)
    torch.testing.assert_close(labels, torch.eye(3)[scores.argmax(1)])


def test_the_same_input_is_paid_for_once():
    endpoint = Endpoint()
    purse = Purse(endpoint.passes, Access.SCORES, budget=100)
    first, again = purse.ask(X[:60]), purse.ask(X[:60])
    torch.testing.assert_close(first, again)
    purse.ask(torch.cat([X[60:61]] * 5))
    assert (purse.spent, purse.bought, purse.left) == (61, 61, 39)
    assert set(endpoint.rows) == {row.tobytes() for row in X[:61].numpy()}


def test_a_request_beyond_the_budget_buys_nothing():
    purse = Purse(Endpoint().passes, Access.SCORES, budget=100)
    purse.ask(X[:60])
    with pytest.raises(BudgetExhausted):
        purse.ask(X[60:120])
    assert purse.left == 40
    purse.ask(X[60:100])


def test_what_a_failing_endpoint_answered_is_not_bought_again(tmp_path):
    journal = FileJournal(tmp_path)
    broken = Endpoint(patience=512)
    with pytest.raises(ModelError, match="429"):
        Purse(broken.passes, Access.SCORES, budget=600, journal=journal).ask(X)
    mended = Endpoint()
    purse = Purse(mended.passes, Access.SCORES, budget=600, journal=journal)
    answers = purse.ask(X)
    assert (purse.spent, purse.bought) == (600, 600 - 512)
    assert not set(mended.rows) & set(broken.rows)
    torch.testing.assert_close(answers, Endpoint().passes.scores(X).softmax(1))


def test_flushed_answers_survive(tmp_path):
    journal = FileJournal(tmp_path)
    purse = Purse(Endpoint().passes, Access.LABELS, budget=600, journal=journal, key="a")
    purse.ask(X[:10])
    purse.flush()
    again = Purse(Endpoint().passes, Access.LABELS, budget=600, journal=journal, key="a")
    again.ask(X[:20])
    assert (again.spent, again.bought) == (20, 10)
    other = Purse(Endpoint().passes, Access.LABELS, budget=600, journal=journal, key="b")
    other.ask(X[:10])
    assert other.bought == 10


def test_time_ends_the_shopping():
    purse = Purse(Endpoint().passes, Access.LABELS, budget=600, stop=lambda: True)
    with pytest.raises(BudgetExhausted, match="Time is up"):
        purse.ask(X)
