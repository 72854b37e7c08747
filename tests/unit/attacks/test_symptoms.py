"""Symptoms: none on honest models, the right ones on masked models."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.symptoms import REMEDY, Symptom, look_for_symptoms
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests import masked_models
from tests.tiny_models import TensorModel, convnet, perceptron

SHAPE = (1, 6, 6)


class Blinded(masked_models.Around):
    """Gradients of noise: the slope of a fine ripple on the answers, steeper than the signal."""

    def forward(self, x: Tensor) -> Tensor:
        scores = self.net(x)
        return scores + 0.05 * torch.sin(3_000 * x.flatten(1).cumsum(1))[:, : scores.shape[1]]


def look(module, shape=SHAPE, classes=4, norm=Norm.LINF, eps=0.1, n=24):
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(2))
    passes = Passes(TensorModel(module, shape, classes))
    space = PerturbationSet.of(ThreatModel(norm, eps), Schema(shape, tuple("abcdefgh"[:classes])))
    samples = Samples(x, passes.scores(x).argmax(1), np.arange(n))
    return look_for_symptoms(passes, samples, space, queries=100, run=Run(Seed(0)))


def seen(signs):
    return {sign.symptom for sign in signs if sign.seen}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("norm", "eps"), [(Norm.LINF, 0.05), (Norm.LINF, 1e-4), (Norm.L2, 0.3), (Norm.L1, 2.0)]
)
def test_an_honest_network_shows_none(seed, norm, eps):
    signs = look(perceptron(seed=seed).module, norm=norm, eps=eps)
    assert seen(signs) == set()
    assert len(signs) == 5


def test_a_convolutional_one_shows_none_either():
    assert seen(look(convnet(2, 8, 5).module, (2, 8, 8), 5, eps=0.02)) == set()


@pytest.mark.parametrize(
    ("kind", "symptoms"),
    [
        (masked_models.Dead, {Symptom.FLAT, Symptom.UNBOUNDED}),
        (masked_models.BitDepth, {Symptom.FLAT}),
        (masked_models.Saturated, {Symptom.FLAT}),
        (masked_models.OutsideAutograd, {Symptom.NOT_FINITE}),
        (masked_models.Rooted, {Symptom.NOT_FINITE}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_masked_one_shows_its_own(kind, symptoms):
    x = look(kind(perceptron().module), eps=0.05) if kind is not masked_models.Rooted else None
    found = seen(x) if x else seen(_at_zero(kind))
    assert symptoms <= found


def _at_zero(kind):
    passes = Passes(TensorModel(kind(perceptron().module), SHAPE, 4))
    x = torch.zeros(8, *SHAPE)
    space = PerturbationSet.of(ThreatModel(eps=0.1), Schema(SHAPE, tuple("abcd")))
    samples = Samples(x, passes.scores(x).argmax(1), np.arange(8))
    return look_for_symptoms(passes, samples, space, queries=20, run=Run(Seed(0)))


def test_chance_beats_gradients_that_are_cut_off():
    found = seen(look(masked_models.Dead(perceptron().module), eps=0.2))
    assert {Symptom.BLACK_BOX, Symptom.RANDOM} & found


def test_the_whole_space_has_no_larger_radius():
    signs = {sign.symptom: sign.seen for sign in look(perceptron().module, eps=1.0)}
    assert signs[Symptom.LARGER] is None
    assert signs[Symptom.UNBOUNDED] is None


def test_every_symptom_has_a_remedy():
    assert set(REMEDY) == set(Symptom)
