from __future__ import annotations

from gambeson.service.commands import AuditCommand


def test_help_names_every_option_and_its_default(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    _, out, _ = call("audit", "--help")
    default = AuditCommand(model="", data="")
    for words in ("--data", "--eps", "--only", "--time-budget", "--resume", "--fail-on", "(default: 8/255)"):
        assert words in out
    assert f"default: {default.batch_size}" in out
    assert f"default: {default.out}" in out
