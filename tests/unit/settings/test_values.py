from __future__ import annotations

import dataclasses
import typing

import pytest

from gambeson.settings import Settings
from gambeson.settings.rules import check_value
from gambeson.settings.values import SuppressSettings, ThreatSettings

TABLES = [hint for hint in typing.get_type_hints(Settings).values() if dataclasses.is_dataclass(hint)]


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().audit.seed = 1


@pytest.mark.parametrize("kind", [*TABLES, ThreatSettings])
def test_every_default_satisfies_its_own_rule(kind):
    for field in dataclasses.fields(kind):
        for value in field.default if isinstance(field.default, tuple) else (field.default,):
            check_value(field.name, value)


def test_a_suppression_has_no_defaults():
    with pytest.raises(TypeError, match=r"finding.*reason.*expires"):
        SuppressSettings()
