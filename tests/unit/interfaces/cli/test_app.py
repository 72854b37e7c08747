from __future__ import annotations

import json

import pytest

from gambeson import __version__


def test_help_and_version_succeed(call):
    assert call("--help")[0] == 0
    assert call()[0] == 0
    code, out, _ = call("--version")
    assert (code, out.strip()) == (0, f"gambeson {__version__}")


def test_the_script_for_completion_is_no_error(call, monkeypatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    code, out, err = call("--show-completion", "bash")
    assert (code, err) == (0, "")
    assert "complete" in out


def test_a_shell_that_completes_a_word_hears_no_error(call, monkeypatch):
    monkeypatch.setenv("_GAMBESON_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "gambeson re")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert call() == (0, "report\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audti",), "audit"),
        (("audit", "--nope"), "--nope"),
        (("audit", "--samples", "many"), "--samples"),
        (("audit",), "gambeson init"),
        (("report", "open", "nowhere"), "no report.html"),
        (("report", "diff", "a.json", "b.json"), "cannot be read"),
        (("schema", "thing"), "report or config"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_to_do(call, place, words, said):
    code, _, err = call(*words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_errors_are_json_too_where_json_was_asked_for(call, place):
    code, out, _ = call("audit", "none.onnx", "--data", "builtin:digits", "--json")
    assert code == 2
    assert json.loads(out)["error"]["kind"] == "UsageError"


def test_an_unforeseen_error_is_one_line_without_traceback(call, place, monkeypatch):
    import gambeson.service.auditing as auditing

    def boom(command, progress):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(auditing, "run_audit", boom)
    code, _, err = call("audit", "m", "--data", "d")
    assert code == 2
    assert "ZeroDivisionError" in err
    assert "GAMBESON_DEBUG" in err
