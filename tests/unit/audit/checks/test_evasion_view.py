"""How evasion checks look at a model before they attack it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.attacks.sanity import Cause
from gambeson.audit.base import PROFILES, CheckContext
from gambeson.audit.checks.evasion_view import choose_right, in_words, look_at
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests import masked_models
from tests.tiny_models import TensorModel, perceptron

SHAPE = (1, 6, 6)
SPACE = PerturbationSet.of(ThreatModel(eps=0.1), Schema(SHAPE, ("a", "b", "c", "d")))


def samples(n=24):
    x = torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(5))
    return Samples(x, perceptron().forward(x).argmax(1), np.arange(n))


def look(kind, access):
    model = TensorModel(kind(perceptron().module), SHAPE, 4)
    context = CheckContext("evasion.gradient", model, None, ThreatModel(), PROFILES["quick"], Seed(0))
    return look_at(context, samples(), SPACE, access)


def test_only_right_ones_are_looked_at():
    passes, some = Passes(perceptron()), samples()
    wrong = Samples(some.x, torch.where(torch.arange(24) % 2 == 0, some.y, (some.y + 1) % 4), some.index)
    assert choose_right(passes, wrong).index.tolist() == list(range(0, 24, 2))
    assert len(choose_right(passes, wrong, 5)) == 5


@pytest.mark.parametrize("access", list(Access))
def test_an_honest_model_needs_no_words(access):
    view = look(masked_models.Around, access)
    assert (view.found.cause, in_words(view)) == (Cause.NONE, "")


def test_gradients_matter_to_those_who_use_them():
    assert look(masked_models.Dead, Access.SCORES).found.cause is Cause.NONE
    assert "dead gradients" in in_words(look(masked_models.Dead, Access.GRADIENT))


@pytest.mark.parametrize("access", list(Access))
def test_a_randomised_model_is_judged_by_its_mean_answer(access):
    assert "EOT" in in_words(look(masked_models.Noisy, access))


def test_where_gradients_could_not_be_restored_it_says_so():
    class Opaque(masked_models.Around):
        def forward(self, x):
            return torch.tensor(self.net(x).detach().numpy().round(1))

    assert "random search did the work" in in_words(look(Opaque, Access.GRADIENT))
