"""The attack that the documentation writes before the reader's eyes passes the suite like any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gambeson.attacks.base import evasion
from gambeson.core.threat import Norm
from tests.conformance.evasion_suite import violations

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "extending.md"


@pytest.fixture
def documented():
    """The registered attack of the page's first code block."""
    evasion.names()
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), {"__name__": "documented"})
    yield evasion["one_step"]
    evasion.unregister("one_step")


def test_documented_attack_conforms(documented):
    assert violations(documented.plugin, documented.facts, Norm.LINF) == []
