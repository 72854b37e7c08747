from __future__ import annotations


def test_after_init_audit_alone_runs(call, place):
    code, out, err = call("init", "python:model.py:scores", "--data", "builtin:digits")
    assert code == 0, err
    assert "gambeson audit" in out
    assert (
        call(
            "audit", "--samples", "4", "--profile", "quick", "--only", "evasion", "--fail-on", "never", "-q"
        )[0]
        == 0
    )
    assert (place / "gambeson-audit" / "report.html").exists()


def test_an_existing_file_is_kept(call, place):
    (place / "gambeson.toml").write_text("")
    code, _, err = call("init", "python:model.py:scores", "--data", "builtin:digits")
    assert code == 2
    assert "--force" in err
