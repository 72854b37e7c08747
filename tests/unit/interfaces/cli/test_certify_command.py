"""From the flags of ``gambeson certify`` to its command."""

from __future__ import annotations

import inspect

import pytest

from gambeson.certify.margins import Method
from gambeson.certify.smoothing import Smoothing
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm
from gambeson.interfaces.cli.certify import certify
from gambeson.interfaces.cli.certify_command import certify_command

NOTHING = dict.fromkeys(inspect.signature(certify).parameters)


def command(**flags):
    return certify_command(NOTHING | {"model": "m.pt2", "data": "d.npz"} | flags)


def test_flags_become_radii_methods_and_the_attacker():
    found = command(norm="L2", eps=["0.1,2/4"], method=["crown", "ibp"], freeze=["age"], samples="7")
    assert found.radii == (0.1, 0.5)
    assert found.methods == (Method.IBP, Method.CROWN)
    assert (found.threat.norm, found.threat.frozen, found.samples) == (Norm.L2, ("age",), 7)


def test_a_smoothed_classifier_is_certified_under_l2_at_multiples_of_its_noise():
    found = command(smooth="0.5", n="200", n0="10", alpha="0.01")
    assert found.smoothing == Smoothing(0.5, 10, 200, 0.01)
    assert found.threat.norm is Norm.L2
    assert found.radii == (0.125, 0.25, 0.5, 0.75, 1.0)


def test_shares_of_the_range_are_a_unit():
    found = command(eps=["5%", "10%"])
    assert (found.threat.unit, found.radii) == ("range", (0.05, 0.1))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"data": None}, "No data was given"),
        ({"norm": "l3"}, "Unknown norm 'l3'"),
        ({"eps": ["0.1,5%"]}, "Some radii are shares"),
        ({"eps": ["much"]}, "eps is 'much'"),
        ({"eps": ["0"]}, "eps is 0"),
        ({"method": ["crwon"]}, "Unknown method 'crwon'"),
        ({"method": ["ibp"], "smooth": "0.5"}, "--method chooses"),
        ({"alpha": "0.1"}, "--alpha belongs to randomised smoothing"),
        ({"smooth": "loud"}, "--smooth is 'loud'"),
        ({"smooth": "0"}, "sigma is 0"),
        ({"smooth": "1", "n": "many"}, "--n is 'many'"),
        ({"seed": "-1"}, "The seed is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(flags, said):
    with pytest.raises(UsageError, match=said):
        command(**flags)
