from __future__ import annotations

import tomllib

import pytest

from gambeson.core.errors import UsageError
from gambeson.settings.checking import Source, settings_from


def read(text):
    return settings_from(tomllib.loads(text), Source("gambeson.toml", text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[audit]\nseed = 1\nprofle = 'quick'\n",
            ["gambeson.toml:3", "'audit.profle'", "did you mean 'profile'"],
        ),
        ("[audti]\nseed = 1\n", ["gambeson.toml:1", "'audti'", "did you mean 'audit'"]),
        ("[audit]\nseed = 'one'\n", ["gambeson.toml:2", "audit.seed is 'one'", "a whole number"]),
        ("[audit]\nseed = true\n", ["audit.seed is True", "a whole number"]),
        ("audit = 3\n", ["audit is 3", "a table, [audit]"]),
        ("[[threat]]\nfreeze = 3\n", ["threat[0].freeze is 3", "a list"]),
        ("[[suppress]]\nfinding = 'x'\nexpires = 2030-01-01\n", ["has no reason"]),
        ("[[suppress]]\nfinding = 'x'\nreason = ' '\nexpires = 2030-01-01\n", ["has no reason"]),
        ("[gate.thresholds]\na = { b = 1 }\n", ["gate.thresholds.a", "a string"]),
    ],
)
def test_a_mistake_names_file_key_and_what_is_expected(text, words):
    with pytest.raises(UsageError) as caught:
        read(text)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_every_kind_of_value_is_read():
    settings = read(
        "[data]\npath = 'd.csv'\noptions = { label = 'y', names = ['a', 'b'], header = true, low = 0.5 }\n"
        "[[threat]]\neps = 0.25\nfreeze = ['a']\n[[threat]]\nnorm = 'l2'\neps = 1\n"
        "[audit]\ntime_budget = 90\nonly = 'evasion'\n"
        "[gate.thresholds]\n'evasion.gradient.robust_accuracy' = '>= 0.4'\n"
        "[[suppress]]\nfinding = 'x'\nreason = 'why'\nexpires = 2030-01-01\n"
    )
    assert dict(settings.data.options) == {"label": "y", "names": "a,b", "header": "true", "low": "0.5"}
    assert [t.eps for t in settings.threat] == [0.25, 1.0]
    assert settings.audit.only == ("evasion",)
    assert settings.gate.thresholds == (("evasion.gradient.robust_accuracy", ">= 0.4"),)
    assert settings.suppress[0].expires == "2030-01-01"
