"""The rules of the scan: what each finding means, how bad it is, and what to do about it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gambeson.core.finding import Severity

TAXONOMY = ("atlas:AML.T0010.003", "owasp-ml:ML06:2023")
"""Model supply chain, in both catalogues."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    Attributes:
        severity: How bad it is.
        claim: What is wrong, in one line.
        remedy: What to do.
        damage: The file is broken rather than malicious, as far as this rule can tell.
    """

    severity: Severity
    claim: str
    remedy: str
    damage: bool = False


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id, e.g. ``"scan.pickle.global"``."""
    text = (files("gambeson.supply") / "scan_rules.toml").read_text(encoding="utf-8")
    return {
        name: Rule(Severity(entry["severity"]), entry["claim"], entry["remedy"], entry.get("damage", False))
        for name, entry in tomllib.loads(text).items()
    }


def is_damage(rule: str) -> bool:
    """Whether a finding by this rule says that a file is broken rather than malicious."""
    return rule in rules() and rules()[rule].damage
