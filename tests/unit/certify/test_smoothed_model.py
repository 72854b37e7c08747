"""The smoothed classifier under attack: its own figures, never those of its base."""

from __future__ import annotations

import math

import numpy as np
import torch

from gambeson.attacks.ensemble import stage
from gambeson.attacks.harness import Run
from gambeson.certify.smoothed_model import SmoothedScores, attack_smoothed
from gambeson.certify.smoothing import Smoothing, certify_smoothed
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm
from gambeson.models.passes import Passes
from tests.unit.certify.nets import cube
from tests.unit.certify.test_smoothing import MODEL, at_distances


def test_its_scores_are_the_log_of_the_mean_probability():
    x = torch.rand(4, 2, generator=torch.Generator().manual_seed(0))
    smoothed = SmoothedScores(MODEL, 0.3, 5, Seed(0))
    mean = torch.stack([MODEL.forward(x + noise).softmax(1) for noise in smoothed._noise]).mean(0)
    assert torch.allclose(smoothed.forward(x).exp(), mean, atol=1e-6)
    assert np.array_equal(smoothed.scores(x.numpy()), smoothed.scores(x.numpy()))


def test_without_noise_to_speak_of_it_is_its_base():
    x = torch.rand(4, 2, generator=torch.Generator().manual_seed(0))
    found = SmoothedScores(MODEL, 1e-9, 2, Seed(0)).forward(x)
    assert torch.allclose(found, MODEL.forward(x).log_softmax(1), atol=1e-5)
    assert math.isclose(float(found.exp().sum()), 4.0, rel_tol=1e-5)


def test_what_is_certified_withstands_and_what_is_far_within_reach_falls():
    samples, how = at_distances([0.1, 0.2, 0.3]), Smoothing(0.2, 50, 1_000)
    answers = certify_smoothed(Passes(MODEL), samples, how, Seed(0))
    found = attack_smoothed(
        [stage("pgd", steps=20)],
        MODEL,
        Passes(MODEL),
        samples,
        cube((2,), Norm.L2, 0.2),
        (0.05, 0.26),
        answers,
        how=how,
        draws=64,
        run=Run(Seed(0)),
    )
    assert found.correct.all()
    assert not (found.fallen[0] & (answers.radius >= 0.05)).any()
    assert found.fallen[1].tolist() == [True, True, False]
