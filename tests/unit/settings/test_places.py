from __future__ import annotations

import pytest

from gambeson.settings.places import line_of

TEXT = """\
# comment = 1
top = 1

[audit]  # with a comment
seed = 3
"quoted" = 4

[[threat]]
norm = "linf"
[[ threat ]]
  norm = "l2"
[gate.thresholds]
"evasion.gradient.robust_accuracy" = ">= 0.4"
data.options = { label = "y" }
[model]
export.path = "m"
[tables.inner]
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("top", 2),
        ("audit", 4),
        ("audit.seed", 5),
        ("audit.quoted", 6),
        ("threat[0]", 8),
        ("threat[0].norm", 9),
        ("threat[1].norm", 11),
        ("gate.thresholds.evasion.gradient.robust_accuracy", 13),
        ("gate.thresholds.data.options", 14),
        ("gate", 12),
        ("model.export", 16),
        ("tables", 17),
    ],
)
def test_a_key_is_found_on_its_line(key, line):
    assert line_of(TEXT, key) == line


@pytest.mark.parametrize(("key", "line"), [("audit.seed[2]", 5), ("audit.none", 4), ("threat[1].eps", 10)])
def test_what_has_no_line_of_its_own_is_found_at_what_is_around_it(key, line):
    assert line_of(TEXT, key) == line


def test_what_is_nowhere_has_no_line():
    assert line_of(TEXT, "nothing.here") is None
    assert line_of("", "audit") is None
