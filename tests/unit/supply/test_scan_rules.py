import re
from pathlib import Path

import gambeson.supply
from gambeson.supply.scan_rules import is_damage, rules

SOURCE = Path(gambeson.supply.__file__).parent


def test_every_rule_is_named_in_the_source_and_every_name_is_a_rule():
    text = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    named = set(re.findall(r'"(scan\.[a-z0-9]+\.[a-z]+)"', text))
    assert named == rules().keys()


def test_a_rule_says_what_to_do():
    for rule in rules().values():
        assert rule.claim[0].isupper()
        assert len(rule.remedy) > 10


def test_breaks_are_damage_and_imports_are_not():
    assert is_damage("scan.zip.broken")
    assert not is_damage("scan.pickle.dangerous")
    assert not is_damage("somebody.elses")
