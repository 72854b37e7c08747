"""What is said of scores: the class never changes, and nothing is said beyond what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.defenses.answers import LabelOnly, ReverseSigmoid, RoundScores, answering, answers

SCORES = st.lists(st.lists(st.floats(-30, 30), min_size=3, max_size=3), min_size=1, max_size=5)


def probabilities(rows) -> torch.Tensor:
    return torch.tensor(rows).softmax(1)


@pytest.mark.parametrize("name", answers.names())
@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_the_class_never_changes(name, rows):
    p = probabilities(rows)
    said = answers.make(name, {})(p)
    top = p.amax(1)
    assert (p.gather(1, said.argmax(1, keepdim=True))[:, 0] >= top * (1 - 1e-6)).all()
    assert torch.isfinite(said).all()
    assert (said >= 0).all()


def test_rounding_leaves_the_digits_that_were_asked_for_and_the_lead():
    said = RoundScores(1)(torch.tensor([[0.62, 0.33, 0.05], [0.34, 0.33, 0.33]]))
    assert torch.allclose(said[0], torch.tensor([0.601, 0.3, 0.0]), atol=1e-6)
    assert said[1].argmax() == 0
    assert torch.allclose(said[1, 1:], torch.tensor([0.3, 0.3]))


def test_the_label_alone_is_the_same_whatever_the_confidence_was():
    said = LabelOnly(0.8)(torch.tensor([[0.99, 0.01, 0.0], [0.4, 0.3, 0.3]]))
    assert torch.equal(said[0], said[1])
    assert torch.allclose(said[0], torch.tensor([0.8, 0.1, 0.1]))


def test_the_reverse_sigmoid_follows_its_formula():
    p = torch.tensor([[0.9, 0.1]])
    bent = p - 0.7 * (1 / (1 + (p / (1 - p)) ** -0.2) - 0.5)
    assert torch.allclose(ReverseSigmoid(0.7, 0.2)(p), bent / bent.sum(), atol=1e-5)


def test_an_unlikely_class_looks_more_likely_than_a_likelier_one():
    said = ReverseSigmoid()(torch.tensor([[0.85, 0.149999, 1e-6]]))[0]
    assert said[2] > said[1]


def test_a_network_answers_as_it_is_while_it_is_trained():
    layer = nn.Linear(2, 3)
    net = answering(layer, "logits", single=False, name="label_only", parameters={})
    x = torch.randn(4, 2)
    assert torch.allclose(net.train()(x), layer(x).log_softmax(1))
    said = net.eval()(x).softmax(1)
    assert np.allclose(said.amax(1).detach(), 0.9)
    assert torch.equal(said.argmax(1), layer(x).argmax(1))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("round_scores", {"digits": 9}),
        ("label_only", {"confidence": 0.4}),
        ("reverse_sigmoid", {"beta": 2.0}),
    ],
)
def test_what_makes_no_sense_is_refused(name, parameters):
    with pytest.raises(UsageError):
        answers.make(name, parameters)
