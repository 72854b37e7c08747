"""Tests of the catalogue of attack identifiers."""

from __future__ import annotations

import re

import pytest

from gambeson.audit.base import checks
from gambeson.audit.report.taxonomy import TaxonomyEntry, describe_id, known_ids
from gambeson.core.errors import UsageError


def test_every_identifier_of_every_check_is_known():
    declared = {identifier for entry in checks for identifier in entry.facts.taxonomy}
    assert declared
    assert declared <= set(known_ids())


@pytest.mark.parametrize(
    ("identifier", "title", "release", "url"),
    [
        (
            "atlas:AML.T0043.000",
            "Craft Adversarial Data: White-Box Optimization",
            "MITRE ATLAS 5.6.0",
            "https://atlas.mitre.org/techniques/AML.T0043.000",
        ),
        ("nist:NISTAML.022", "Evasion", "NIST AI 100-2e2025", "https://doi.org/10.6028/NIST.AI.100-2e2025"),
        (
            "owasp-ml:ML01:2023",
            "Input Manipulation Attack",
            "OWASP Machine Learning Security Top 10 2023",
            "https://owasp.org/www-project-machine-learning-security-top-10/docs/"
            "ML01_2023-Input_Manipulation_Attack",
        ),
    ],
)
def test_an_identifier_has_title_edition_and_page(identifier, title, release, url):
    assert describe_id(identifier) == TaxonomyEntry(identifier, title, url, release)


def test_the_attacks_that_the_project_speaks_of_are_there():
    atlas = ["T0015", "T0018", "T0020", "T0024", "T0040", "T0042", "T0043"]
    atlas += ["T0024.000", "T0024.001", "T0024.002", "T0043.000", "T0043.001"]
    nist = ["013", "022", "023", "024", "025", "031", "032", "033", "034"]
    owasp = [f"{number:02d}" for number in range(1, 11)]
    wanted = {f"atlas:AML.{code}" for code in atlas} | {f"nist:NISTAML.{code}" for code in nist}
    assert wanted | {f"owasp-ml:ML{code}:2023" for code in owasp} <= set(known_ids())


def test_every_identifier_has_the_form_of_its_catalogue():
    form = r"atlas:AML\.T\d{4}(\.\d{3})?|nist:NISTAML\.\d{2,3}|owasp-ml:ML\d{2}:2023"
    assert [name for name in known_ids() if not re.fullmatch(form, name)] == []
    assert all(entry.url.startswith("https://") and "{" not in entry.url for entry in known_ids().values())


def test_an_unknown_identifier_names_its_neighbour():
    with pytest.raises(UsageError, match=r"did you mean 'atlas:AML\.T0043"):
        describe_id("atlas:AML.T00433")
    with pytest.raises(UsageError, match="Unknown taxonomy identifier ''"):
        describe_id("")
