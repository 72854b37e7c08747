"""From the flags of ``gambeson attack`` to its command."""

from __future__ import annotations

import inspect

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.interfaces.cli.attack import attack
from gambeson.interfaces.cli.attack_command import attack_command

NOTHING = dict.fromkeys(inspect.signature(attack).parameters) | {"nearest": False, "png": False}


def command(**flags):
    return attack_command(NOTHING | {"names": "pgd", "model": "m.pt2", "data": "d.npz"} | flags)


def test_flags_become_the_attacker_and_the_parameters():
    found = command(
        norm="L2",
        eps="0.5",
        access="scores",
        queries="7",
        freeze=["age,sex"],
        param=["steps=3", "loss=dlr"],
        categories="2",
    )
    assert (found.threat.norm, found.threat.eps, found.threat.access) == (Norm.L2, 0.5, Access.SCORES)
    assert (found.threat.queries, found.threat.frozen) == (7, ("age", "sex"))
    assert found.threat.categories == 2
    assert found.parameters == (("steps", 3), ("loss", "dlr"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("k=0.5", 0.5), ("k=true", True), ("k=none", None), ("k=word", "word"), ("k=1e-3", 1e-3)],
)
def test_values_are_read_as_what_they_look_like(text, value):
    assert command(param=[text]).parameters == (("k", value),)


def test_the_nearest_under_l0_needs_no_radius():
    assert command(norm="l0", nearest=True).threat.eps == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"data": None}, "No data was given"),
        ({"param": ["steps"]}, "has no '='"),
        ({"param": ["=3"]}, "has no '='"),
        ({"norm": "l3"}, "Unknown norm 'l3'"),
        ({"nearest": True, "eps": "0.1"}, "looks beyond every --eps"),
        ({"seed": "-1"}, "The seed is -1"),
        ({"samples": "many"}, "--samples is 'many'"),
    ],
)
def test_what_makes_no_sense_is_refused(flags, said):
    with pytest.raises(UsageError, match=said):
        command(**flags)
