from __future__ import annotations

import dataclasses
import datetime
import tomllib

import jsonschema
import pytest

from gambeson.core.errors import UsageError
from gambeson.settings import Settings, config_schema
from gambeson.settings.checking import Source, settings_from
from gambeson.settings.schema import generate_schema

VALIDATOR = jsonschema.Draft202012Validator(config_schema())


def plain(value):
    """A parsed TOML file as JSON has it: dates as text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def test_what_is_published_is_what_the_settings_say():
    assert config_schema() == generate_schema()


def test_it_is_a_schema_and_every_setting_is_in_it():
    jsonschema.Draft202012Validator.check_schema(config_schema())
    assert set(config_schema()["properties"]) == {f.name for f in dataclasses.fields(Settings)}


def test_every_key_says_what_it_means_and_defaults_are_the_settings():
    tables = config_schema()["properties"]
    for name, kind in tables.items():
        for key, rule in kind.get("items", kind)["properties"].items():
            assert rule["description"], f"{name}.{key}"
    assert tables["audit"]["properties"]["batch_size"]["default"] == Settings().audit.batch_size
    assert tables["gate"]["properties"]["fail_on"]["default"] == Settings().gate.fail_on


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[threat]]\neps = '8/255'\nnorm = 'l2'\n",
        "[[threat]]\neps = 0.1\n[[threat]]\neps = 1\n",
        "[audit]\nprofile = 'quick'\ntime_budget = '10m'\n[gate]\nfail_on = 'never'\n",
        "[gate.thresholds]\n'a.b' = '>= 1'\n",
        "[[suppress]]\nfinding = 'x'\nreason = 'y'\nexpires = 2030-01-01\n",
        "[data]\noptions = { header = true, names = ['a'], low = 1 }\n",
    ],
)
def test_loader_and_schema_take_the_same(text):
    VALIDATOR.validate(plain(tomllib.loads(text)))
    settings_from(tomllib.loads(text), Source("gambeson.toml", text))


@pytest.mark.parametrize(
    "text",
    [
        "[audit]\nprofle = 'x'\n",
        "[audit]\nseed = 'x'\n",
        "[audit]\nseed = -1\n",
        "[audit]\nonly = 'evasion'\n",
        "[audit]\nformats = ['pdf']\n",
        "[threat]\nnorm = 'l2'\n",
        "[[threat]]\nnorm = 'l7'\n",
        "[audit]\ntime_budget = 0\n",
        "[data.options]\nlable = 'y'\n",
        "[[suppress]]\nfinding = 'x'\n",
        "[[suppress]]\nfinding = 'x'\nreason = ''\nexpires = 2030-01-01\n",
        "[gate.thresholds]\n'a.b' = 1\n",
    ],
)
def test_loader_and_schema_refuse_the_same(text):
    assert not VALIDATOR.is_valid(plain(tomllib.loads(text)))
    with pytest.raises(UsageError):
        settings_from(tomllib.loads(text), Source("gambeson.toml", text))
