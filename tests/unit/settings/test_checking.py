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
        ("audit = 3\n", ["gambeson.toml:1", "audit is 3", "a table, [audit]"]),
        ("[audit]\nonly = 'evasion'\n", ["audit.only is 'evasion'", 'a list, ["...']),
        ("[threat]\nnorm = 'l2'\n", ["gambeson.toml:1", "threat is", "[[threat]]"]),
        ("[[threat]]\nfreeze = 3\n", ["threat[0].freeze is 3", "a list"]),
        (
            "[[threat]]\nnorm = 'l2'\n[[threat]]\nnrom = 'l2'\n",
            ["gambeson.toml:4", "'threat[1].nrom'", "did you mean 'norm'"],
        ),
        ("[[suppress]]\nfinding = 'x'\nexpires = 2030-01-01\n", ["gambeson.toml:1", "has no reason"]),
        ("[[suppress]]\nfinding = 'x'\nreason = ' '\nexpires = 2030-01-01\n", ["has no reason"]),
        ("[gate.thresholds]\na = { b = 1 }\n", ["gate.thresholds.a", ">= 0.4"]),
        (
            "[data.options]\nlable = 'y'\n",
            ["gambeson.toml:2", "'data.options.lable'", "did you mean 'label'"],
        ),
        ("[gate.thresholds]\nevasion.a = '>= 1'\n", ["gambeson.toml:2", "in quotes"]),
        ("[gate.thresholds]\na = 0.4\n", ["gambeson.toml:2", "gate.thresholds.a is 0.4", ">= 0.4"]),
    ],
)
def test_a_mistake_names_file_key_and_what_is_expected(text, words):
    with pytest.raises(UsageError) as caught:
        read(text)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[audit]\nprofile = 'quikc'\n", [":2: audit.profile is 'quikc'", "thorough", "mean 'quick'"]),
        ("[audit]\nformats = ['json', 'pdf']\n", [":2: audit.formats[1] is 'pdf'", "sarif"]),
        ("[[threat]]\nnorm = 'l9'\n", [":2: threat[0].norm is 'l9'", "linf, l2, l1, l0"]),
        ("[[threat]]\neps = 'big'\n", [":2: threat[0].eps is 'big'", "8/255"]),
        ("[audit]\ntime_budget = 'soon'\n", [":2: audit.time_budget is 'soon'", "10m"]),
        ("[audit]\ntime_budget = 0\n", [":2: audit.time_budget is 0", "10m"]),
        ("[audit]\nsamples = 0\n", [":2: audit.samples is 0", "at least 1"]),
        ("[audit]\nseed = -1\n", [":2: audit.seed is -1", "at least 0"]),
        ("[gate]\nfail_on = 'nver'\n", [":2: gate.fail_on is 'nver'", "mean 'never'"]),
        (
            "[[suppress]]\nfinding = 'x'\nreason = 'y'\nexpires = 'soon'\n",
            [":4: suppress[0].expires is 'soon'", "YYYY-MM-DD"],
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_where_it_stands(text, words):
    with pytest.raises(UsageError) as caught:
        read(text)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_a_wrong_value_is_called_as_its_author_called_it():
    with pytest.raises(UsageError, match=r"flags: --AUDIT\.SEED is 'x'"):
        settings_from({"audit": {"seed": "x"}}, Source("flags", call=lambda key: f"--{key.upper()}"))


def test_every_kind_of_value_is_read():
    settings = read(
        "[model]\nclasses = 3\n"
        "[data]\npath = 'd.csv'\noptions = { label = 'y', names = ['a', 'b'], header = true, low = 0.5 }\n"
        "[[threat]]\neps = 0.25\nfreeze = ['a']\n[[threat]]\nnorm = 'l2'\neps = 1\n"
        "[audit]\ntime_budget = 90\nonly = ['evasion']\n"
        "[gate.thresholds]\n'evasion.gradient.robust_accuracy' = '>= 0.4'\n"
        "[[suppress]]\nfinding = 'x'\nreason = 'why'\nexpires = 2030-01-01\n"
    )
    assert settings.model.classes == 3
    assert dict(settings.data.options) == {"label": "y", "names": "a,b", "header": "true", "low": "0.5"}
    assert [t.eps for t in settings.threat] == [0.25, 1.0]
    assert settings.audit.only == ("evasion",)
    assert settings.gate.thresholds == (("evasion.gradient.robust_accuracy", ">= 0.4"),)
    assert settings.suppress[0].expires == "2030-01-01"
