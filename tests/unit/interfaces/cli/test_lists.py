from __future__ import annotations

import json


def test_checks_and_attacks_are_listed(call):
    _, out, _ = call("list", "checks", "--json")
    assert {row["check"] for row in json.loads(out)} >= {
        "evasion.gradient",
        "evasion.scores",
        "privacy.membership",
    }
    _, out, _ = call("list", "attacks", "--json")
    assert {row["attack"] for row in json.loads(out)} >= {"pgd", "apgd", "square", "rmia"}
    assert call("list", "checks")[0] == 0


def test_published_schemas_are_printed(call):
    for name in ("report", "config"):
        assert "$schema" in json.loads(call("schema", name)[1])
