from __future__ import annotations

import json

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli.errors import show_error


def test_what_was_given_expected_and_to_do_stand_in_their_own_lines(capsys):
    show_error(UsageError("eps is [bold]0.", expected="above 0", remedy="pass --eps 0.1"), as_json=True)
    shown = capsys.readouterr()
    assert shown.err.splitlines() == ["error: eps is [bold]0.", "expected: above 0", "fix: pass --eps 0.1"]
    assert json.loads(shown.out)["error"]["remedy"] == "pass --eps 0.1"
