"""Certified samples by radius: cheapest method first, monotone, interruptible, resumable."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.harness import Samples
from gambeson.certify.accuracy import Proving, affordable, certify_samples
from gambeson.certify.margins import Method, cost
from gambeson.core.threat import Norm
from tests.unit.certify.nets import cube, perceptron

RADII = (0.3, 0.05, 0.1)
NETWORK = perceptron(8)


class Kept(dict):
    """A journal in memory."""

    def load(self, key):
        return self.get(key)

    def save(self, key, arrays):
        self[key] = arrays


def samples(count: int = 40) -> Samples:
    x = torch.rand(count, 6, generator=torch.Generator().manual_seed(0))
    return Samples(x, NETWORK(x).argmax(1), np.arange(count))


def certify(how: Proving = Proving(), count: int = 40):  # noqa: B008
    return certify_samples(NETWORK, samples(count), cube((6,), Norm.LINF, 0.1), RADII, how)


def test_what_is_certified_at_a_radius_is_so_at_every_smaller_one():
    found = certify()
    assert found.radii == (0.05, 0.1, 0.3)
    assert (found.certified[0] >= found.certified[1]).all()
    assert (found.certified[1] >= found.certified[2]).all()
    assert 0 < found.certified[2].sum() < found.certified[0].sum()


def test_the_radius_is_the_largest_certified_one():
    found = certify()
    for row, radius in enumerate(found.radius):
        assert [r for r, c in zip(found.radii, found.certified[:, row], strict=True) if c][-1:] == (
            [radius] if radius else []
        )


def test_each_certificate_names_the_cheapest_method_that_gave_it():
    found = certify()
    alone = certify(Proving((Method.IBP,)))
    assert ((found.method == 0) == alone.certified).all()
    assert sum(found.proved_by(2).values()) == found.certified[2].sum()
    assert found.proved_by(2)["ibp"] < found.certified[2].sum()


def test_a_wrong_class_is_never_certified():
    given = samples()
    wrong = Samples(given.x, (given.y + 1) % 3, given.index)
    found = certify_samples(
        NETWORK, wrong, cube((6,), Norm.LINF, 0.1), (1e-4,), Proving((Method.IBP, Method.CROWN))
    )
    assert not found.certified.any()


def test_without_time_nothing_is_certified_and_all_is_said_to_be_open():
    found = certify(Proving(deadline=0.0, clock=lambda: 1.0))
    assert found.unfinished == 40
    assert not found.certified.any()


def test_what_a_journal_holds_is_not_proved_again():
    journal = Kept()
    first = certify(Proving(journal=journal))
    again = certify(Proving(journal=journal, deadline=0.0, clock=lambda: 1.0))
    assert np.array_equal(first.certified, again.certified)
    assert again.unfinished == 0


def test_progress_counts_samples():
    seen = []
    certify(Proving(report=seen.append))
    assert sum(seen) == 40


@pytest.mark.parametrize("method", list(Method))
def test_what_costs_too_much_is_left_out(method):
    most = cost(NETWORK, method)
    assert method in affordable(NETWORK, most)
    assert method is Method.IBP or method not in affordable(NETWORK, most - 1)
