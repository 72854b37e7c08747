"""Raw answers as scores and logits."""

from __future__ import annotations

import torch

from gambeson.models.probing import Answer
from gambeson.models.torch_answer import logits, widen


def test_one_logit_becomes_two_with_the_same_odds():
    z = torch.tensor([[0.7], [-2.0]])
    assert torch.allclose(widen(z, Answer("logits", True)).softmax(1)[:, 1], z[:, 0].sigmoid())


def test_one_probability_becomes_two():
    assert torch.allclose(
        widen(torch.tensor([[0.3]]), Answer("probabilities", True)), torch.tensor([[0.7, 0.3]])
    )


def test_the_softmax_of_the_logits_are_the_probabilities():
    p = torch.tensor([[0.2, 0.5, 0.3]])
    assert torch.allclose(logits(p, Answer("probabilities", False)).softmax(1), p)
    assert torch.equal(logits(p, Answer("logits", False)), p)
