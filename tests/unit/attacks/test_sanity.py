"""Planted causes of masked gradients are told apart, and an honest network is believed."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.sanity import Cause, diagnose, diagnose_answers
from gambeson.core.reproduce import Seed
from gambeson.core.threat import ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests import masked_models
from tests.tiny_models import TensorModel, perceptron

SHAPE = (1, 6, 6)
PLANTED = [
    (masked_models.Saturated, Cause.SATURATED),
    (masked_models.LowTemperature, Cause.SATURATED),
    (masked_models.QuantisedOutput, Cause.QUANTISED_OUTPUT),
    (masked_models.Noisy, Cause.RANDOMISED),
    (masked_models.BitDepth, Cause.QUANTISED_INPUT),
    (masked_models.OutsideAutograd, Cause.NOT_DIFFERENTIABLE),
    (masked_models.Jpeg, Cause.NOT_DIFFERENTIABLE),
    (masked_models.Rooted, Cause.NOT_FINITE),
    (masked_models.Dead, Cause.DEAD),
    (masked_models.BatchDependent, Cause.BATCH_DEPENDENT),
    (masked_models.Shattered, Cause.SHATTERED),
    (masked_models.Ramp, Cause.VANISHING),
]


def found(module, scores="logits", n=48):
    x = torch.randint(0, 17, (n, *SHAPE), generator=torch.Generator().manual_seed(5)) / 16
    passes = Passes(TensorModel(module, SHAPE, 4, scores))
    torch.manual_seed(0)
    y = passes.scores(x).argmax(1)
    space = PerturbationSet.of(ThreatModel(eps=0.1), Schema(SHAPE, ("a", "b", "c", "d")))
    return diagnose(passes, x, y, space, Seed(0))


@pytest.mark.parametrize(("planted", "cause"), PLANTED, ids=[kind.__name__ for kind, _ in PLANTED])
def test_a_planted_cause_is_named(planted, cause):
    scores = "probabilities" if planted is masked_models.LowTemperature else "logits"
    seen = found(planted(perceptron().module), scores)
    assert seen.cause is cause
    assert 0.25 * seen.of <= seen.affected <= seen.of


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_network_is_believed(seed):
    assert found(perceptron(seed=seed).module).cause is Cause.NONE


@pytest.mark.parametrize(
    ("planted", "cause"),
    [
        (masked_models.Noisy, Cause.RANDOMISED),
        (masked_models.BatchDependent, Cause.BATCH_DEPENDENT),
        (masked_models.Dead, Cause.NONE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_answers_alone_tell_randomness_and_company(planted, cause):
    x = torch.rand(20, *SHAPE, generator=torch.Generator().manual_seed(5))
    assert diagnose_answers(Passes(TensorModel(planted(perceptron().module), SHAPE, 4)), x).cause is cause


def test_no_sample_is_no_reason_to_complain():
    x, y = torch.zeros(0, *SHAPE), torch.zeros(0, dtype=torch.int64)
    space = PerturbationSet.of(ThreatModel(eps=0.1), Schema(SHAPE, ("a", "b", "c", "d")))
    assert diagnose(Passes(perceptron()), x, y, space, Seed(0)).cause is Cause.NONE
