from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.service.commands import AuditCommand
from gambeson.service.configuring import to_command
from gambeson.settings import (
    DataSettings,
    GateSettings,
    ModelSettings,
    Settings,
    SuppressSettings,
    ThreatSettings,
)

GIVEN = Settings(ModelSettings("m.onnx"), DataSettings("d.npz"))


def test_defaults_are_those_of_the_command():
    assert to_command(GIVEN) == AuditCommand(model="m.onnx", data="d.npz")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (Settings(), "model"),
        (Settings(ModelSettings("")), "model"),
        (Settings(ModelSettings("m")), "data"),
    ],
)
def test_what_is_missing_is_named_with_the_fix(settings, what):
    with pytest.raises(UsageError, match=f"No {what} was given(.|\n)*gambeson init"):
        to_command(settings)


def test_threats_gate_and_suppressions_are_read():
    command = to_command(
        replace(
            GIVEN,
            threat=(ThreatSettings("L2", "10%", "scores", 7, ("age",)),),
            gate=GateSettings("never", (("a.b", ">= 1"),)),
            suppress=(SuppressSettings("evasion.gradient", "why", "2030-01-01"),),
        )
    )
    threat = command.threats[0]
    assert (threat.norm, threat.eps, threat.unit) == (Norm.L2, 0.1, "range")
    assert (threat.access, threat.queries, threat.frozen) == (Access.SCORES, 7, ("age",))
    assert command.fail_on is None
    assert command.suppressions[0].expires == "2030-01-01"


def test_a_suppression_of_an_unknown_check_names_the_nearest_one():
    slip = SuppressSettings("evasion.gradiant@linf eps=0.1", "why", "2030-01-01")
    with pytest.raises(UsageError, match=r"did you mean 'evasion\.gradient'"):
        to_command(replace(GIVEN, suppress=(slip,)))


def test_a_date_that_is_none_is_refused():
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        to_command(replace(GIVEN, suppress=(SuppressSettings("evasion.gradient", "why", "soon"),)))
