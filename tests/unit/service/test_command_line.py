from __future__ import annotations

import shlex

from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.interfaces.cli import app as cli
from gambeson.service.command_line import command_line, only
from gambeson.service.commands import AuditCommand

COMMAND = AuditCommand(
    model="my model.onnx",
    data="d'ata.npz",
    surrogate="other net.pt",
    surrogate_factory="net.py:build",
    data_options=(("label", "y"),),
    threats=(ThreatModel(Norm.L2, 0.1, Access.SCORES, 50, ("age", "sex"), "range", 2),),
    profile="quick",
    seed=7,
)


def test_words_with_blanks_and_quotes_survive_the_shell():
    words = shlex.split(command_line(COMMAND))
    assert words[:5] == ["gambeson", "audit", "my model.onnx", "--data", "d'ata.npz"]


def test_the_command_line_reads_what_is_written(monkeypatch):
    read = []
    monkeypatch.setattr("gambeson.service.auditing.run_audit", lambda command, progress: read.append(command))
    cli.run([*shlex.split(command_line(COMMAND))[1:], "--quiet"])
    assert read == [COMMAND]


def test_one_check_can_be_repeated_alone():
    words = shlex.split(only(COMMAND, "evasion.scores", ThreatModel()))
    assert words[words.index("--only") + 1] == "evasion.scores"
    assert words[-2:] == ["--seed", "7"]
