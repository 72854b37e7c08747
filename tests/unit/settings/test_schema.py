from __future__ import annotations

import dataclasses
import tomllib

import jsonschema
import pytest

from gambeson.settings import Settings, config_schema
from gambeson.settings.schema import _CHOICES

VALIDATOR = jsonschema.Draft202012Validator(config_schema())


def test_it_is_a_schema_and_every_setting_is_in_it():
    jsonschema.Draft202012Validator.check_schema(config_schema())
    assert set(config_schema()["properties"]) == {f.name for f in dataclasses.fields(Settings)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[threat]]\neps = '8/255'\nnorm = 'l2'\n",
        "[audit]\nprofile = 'quick'\ntime_budget = '10m'\n[gate]\nfail_on = 'never'\n",
        "[gate.thresholds]\n'a.b' = '>= 1'\n",
    ],
)
def test_what_the_loader_reads_is_valid(text):
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[audit]\nprofle = 'x'\n",
        "[audit]\nseed = 'x'\n",
        "[[threat]]\nnorm = 'l7'\n",
        "[[suppress]]\nfinding = 'x'\n",
    ],
)
def test_what_the_loader_refuses_is_invalid(text):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tomllib.loads(text))


def test_the_choices_are_those_of_the_code():
    from gambeson.audit.base import PROFILES
    from gambeson.audit.report.writing import FORMATS

    assert _CHOICES["profile"] == list(PROFILES)
    assert _CHOICES["formats"] == list(FORMATS)
