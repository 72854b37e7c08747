"""Flags of gambeson ownership become commands, or errors that name the flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from gambeson.interfaces.cli.ownership_command import mark_command, ownership_command
from gambeson.service.owning import MarkCommand, OwnershipCommand

NAMES = (
    "factory", "suspect_factory", "scores", "classes", "split", "train_split", "reference", "train", "triggers",
    "access", "inputs", "alpha", "seed", "batch_size", "data_option", "label", "count", "passes", "out",
)  # fmt: skip
BARE = dict.fromkeys(NAMES) | {"model": "m.pt", "suspect": "s.pt", "data": "d.npz"}


def test_without_flags_the_defaults_hold():
    assert ownership_command(BARE) == OwnershipCommand("m.pt", "s.pt", "d.npz")
    assert mark_command(BARE | {"seed": "3"}) == MarkCommand("m.pt", "d.npz", 3)


def test_a_secret_that_nobody_named_is_a_new_one_each_time():
    assert mark_command(BARE).seed != mark_command(BARE).seed


def test_every_flag_arrives():
    found = ownership_command(
        BARE | {"reference": ["a", "b"], "train": "0", "access": "labels", "alpha": "0.05", "inputs": "50",
                "triggers": Path("t.npz"), "label": "y", "suspect_factory": "f.py:g", "seed": "3"}
    )  # fmt: skip
    assert (found.references, found.train, found.access, found.alpha) == (("a", "b"), 0, Access.LABELS, 0.05)
    assert (found.inputs, found.triggers, found.suspect_factory, found.seed) == (
        50,
        Path("t.npz"),
        "f.py:g",
        3,
    )
    assert found.data_options == (("label", "y"),)
    assert mark_command(BARE | {"count": "7", "passes": "2", "out": Path("o")}).count == 7


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"data": None}, "No data"),
        ({"alpha": "2"}, "--alpha is '2'"),
        ({"alpha": "much"}, "--alpha is 'much'"),
        ({"inputs": "0"}, "--inputs is 0"),
        ({"train": "some"}, "--train is 'some'"),
        ({"access": "all"}, "Unknown access level"),
    ],
)
def test_values_that_make_no_sense_are_refused(flags, message):
    with pytest.raises(UsageError, match=message):
        ownership_command(BARE | flags)
