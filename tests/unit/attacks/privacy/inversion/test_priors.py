"""Priors: total variation and principal components."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from gambeson.attacks.privacy.inversion.priors import Smooth, principal, total_variation
from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.attacks.randomness import SampleRandom
from tests.inversion_worlds import SCHEMA, examples

X = examples(60)[0]
SPACE = space_of(SCHEMA, X)


def test_total_variation_by_hand():
    picture = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    assert total_variation(picture).tolist() == [pytest.approx(0.5 + 0.5 + 1.0 + 0.0)]


def test_the_smooth_prior_likes_the_typical_input_best():
    prior = Smooth(SPACE, torch.full((1, 8, 8), 0.5), variation=0.1, pull=2.0)
    flat, far = torch.full((1, 64), 0.5), torch.full((1, 64), 0.75)
    assert prior.penalty(flat).item() == 0
    assert prior.penalty(far).item() == pytest.approx(2.0 * 64 * 0.25**2)


def test_what_is_cut_to_the_bounds_keeps_its_gradient():
    prior = Smooth(SPACE, torch.zeros(1, 8, 8), variation=0, pull=0)
    z = torch.full((1, 64), 1.5, requires_grad=True)
    u = prior.decode(z)
    u.sum().backward()
    assert float(u.detach().max()) == 1.0
    assert (z.grad == 1).all()


def test_components_are_those_of_scikit_learn():
    ours, flat = principal(X, SPACE, 5), X.flatten(1).numpy()
    theirs = PCA(5, svd_solver="full").fit(flat)
    assert ours.mean.numpy() == pytest.approx(theirs.mean_, abs=1e-5)
    lengths = np.sqrt(theirs.explained_variance_)
    assert ours.basis.norm(dim=1).numpy() == pytest.approx(lengths, rel=1e-4)
    cosines = (ours.basis.numpy() * theirs.components_).sum(1) / lengths
    assert np.abs(cosines) == pytest.approx(np.ones(5), abs=1e-4)


def test_the_mean_is_the_likeliest_input():
    prior = principal(X, SPACE, 5)
    assert torch.allclose(prior.decode(torch.zeros(1, 5))[0], X.mean(0), atol=1e-6)
    assert prior.penalty(torch.zeros(1, 5)).item() == 0
    assert prior.penalty(torch.ones(1, 5)).item() == pytest.approx(prior.weight * 2.5)


def test_no_more_components_than_the_inputs_have():
    assert len(principal(X[:4], SPACE, 10).basis) == 3


def test_starts_differ_by_wish():
    random = SampleRandom(torch.arange(3))
    for prior in (principal(X, SPACE, 5), Smooth(SPACE, X.mean(0), 0.1, 0.1)):
        start = prior.start(random)
        assert len(start) == 3
        assert not torch.equal(start[0], start[1])
