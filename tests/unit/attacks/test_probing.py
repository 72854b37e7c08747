"""The normal of a boundary that is known."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.base import Problem
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.probing import _packs, boundary_normal
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes
from tests.linear_world import WEIGHTS, exact, model, samples, space


def estimate(count, keep=slice(None), budget=None, spectrum=None):
    given = samples().select(torch.arange(len(samples()))[keep])
    ball = space(Norm.L2).around(given.x)
    keys = torch.arange(6)[keep]
    problem = Problem(given.y, ball, SampleRandom(keys), 9, given.x[:0])
    oracle = Oracle(Passes(model()), Access.LABELS, rows=len(given), budget=budget)
    # From each sample straight to the boundary.
    way = torch.where(given.y == 0, 1.0, -1.0)[:, None] * WEIGHTS / WEIGHTS.norm()
    delta = (torch.from_numpy(exact(Norm.L2))[keep, None] * way).reshape(given.x.shape).float()
    of = torch.arange(len(given))
    normal = boundary_normal(
        Decisions(oracle, problem),
        delta,
        of,
        count[keep],
        torch.full((len(of),), 0.02),
        step=1,
        spectrum=spectrum,
    )
    return normal, way, oracle


def test_it_points_along_the_weights():
    normal, way, _ = estimate(torch.full((6,), 2_000))
    assert (torch.cosine_similarity(normal.flatten(1), way) > 0.98).all()


def test_each_sample_gets_its_own_number_of_probes_and_the_same_bits_in_any_company():
    count = torch.tensor([30, 70, 150, 64, 65, 1])
    normal, _, oracle = estimate(count)
    assert oracle.queries.tolist() == count.tolist()
    assert torch.equal(normal[2:4], estimate(count, slice(2, 4))[0])


def test_low_frequencies_stay_low():
    flat = Spectrum(torch.full((1, 4), 0.5), torch.full((1, 4), 0.5), 1)  # nothing but the mean
    normal, _, _ = estimate(torch.full((6,), 50), spectrum=flat)
    torch.testing.assert_close(normal, normal.mean((2, 3), keepdim=True).expand_as(normal), atol=1e-4, rtol=0)


@pytest.mark.parametrize("counts", [[1, 1, 1], [200, 3, 90], [64]])
def test_packs_hold_every_probe_once(counts):
    pieces = [piece for pack in _packs(counts, 3_072) for piece in pack]
    for sample, count in enumerate(counts):
        assert sum(p.count for p in pieces if p.sample == sample) == count
