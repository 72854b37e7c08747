from __future__ import annotations

import pytest
import torch

from gambeson.attacks.losses import cross_entropy
from gambeson.core.errors import AccessDenied, BudgetExhausted
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes
from tests.tiny_models import linear

X, Y = torch.zeros(3, 2), torch.tensor([0, 1, 0])


def oracle(access, budget=None, observe=lambda x, s, of: None):
    return Oracle(Passes(linear([[1.0, 0.0], [0.0, 1.0]])), access, rows=3, budget=budget, observe=observe)


def test_access_is_a_ladder():
    asks = [
        lambda o: o.labels(X),
        lambda o: o.scores(X),
        lambda o: o.gradient(X, cross_entropy, Y),
    ]
    for granted in Access:
        for needed, ask in zip(Access, asks, strict=True):
            if needed <= granted:
                ask(oracle(granted))
            else:
                with pytest.raises(AccessDenied, match=f"asked for {needed}"):
                    ask(oracle(granted))


def test_every_kind_of_query_is_counted_per_sample():
    o = oracle(Access.GRADIENT)
    o.labels(X)
    o.scores(X)
    o.select(torch.tensor([0, 2]))
    o.gradient(X[:2], cross_entropy, Y[:2])
    assert o.queries.tolist() == [3, 3]


def test_the_budget_is_hard_and_remembered():
    o = oracle(Access.SCORES, budget=2)
    o.scores(X)
    o.scores(X)
    assert not o.overspent
    with pytest.raises(BudgetExhausted):
        o.scores(X)
    assert o.overspent
    assert o.queries.tolist() == [2, 2, 2]


def test_denied_queries_cost_nothing_and_show_nothing():
    seen = []
    o = oracle(Access.LABELS, observe=lambda x, s, of: seen.append(s))
    with pytest.raises(AccessDenied):
        o.scores(X)
    assert o.queries.tolist() == [0, 0, 0]
    assert seen == []


def test_the_observer_sees_true_scores_whatever_the_attacker_is_shown():
    seen = []
    o = oracle(Access.LABELS, observe=lambda x, s, of: seen.append(s))
    assert o.labels(torch.tensor([[2.0, 1.0]] * 3)).tolist() == [0, 0, 0]
    assert seen[0].tolist() == [[2.0, 1.0]] * 3
