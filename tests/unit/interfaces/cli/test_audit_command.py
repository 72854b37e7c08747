from __future__ import annotations

import inspect

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from gambeson.interfaces.cli.audit import audit
from gambeson.interfaces.cli.audit_command import audit_command

NOTHING = dict.fromkeys(inspect.signature(audit).parameters) | {"resume": False}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(environ=(), **flags):
    return audit_command(NOTHING | {"model": "m.onnx", "data": "d.npz"} | flags, dict(environ))


def test_defaults_then_file_then_environment_then_flags(here):
    assert command().seed == 0
    (here / "gambeson.toml").write_text("[audit]\nseed = 1\njobs = 2\nbatch_size = 8\n")
    assert command().seed == 1
    environ = {"GAMBESON_AUDIT_SEED": "2", "GAMBESON_AUDIT_BATCH_SIZE": "16"}
    assert command(environ).seed == 2
    found = command(environ, seed="3")
    assert (found.seed, found.batch_size, found.jobs) == (3, 16, 2)


def test_a_flag_changes_every_attacker_of_the_file_and_only_in_its_field(here):
    (here / "gambeson.toml").write_text(
        '[[threat]]\neps = "4/255"\naccess = "scores"\n[[threat]]\neps = 0.1\nnorm = "l2"\n'
    )
    threats = command(eps="8/255", freeze=["age,sex"], categories="2").threats
    assert [t.eps for t in threats] == pytest.approx([8 / 255, 8 / 255])
    assert [t.access for t in threats] == [Access.SCORES, Access.GRADIENT]
    assert all((t.frozen, t.categories) == (("age", "sex"), 2) for t in threats)


def test_what_the_file_says_of_its_model_is_not_said_of_another_one(here):
    (here / "gambeson.toml").write_text('[model]\npath = "mine.safetensors"\nfactory = "net:build"\n')
    assert command(model="./mine.safetensors").factory is not None
    assert command(model="other.onnx").factory is None


def test_thresholds_are_added_to_those_of_the_file(here):
    (here / "gambeson.toml").write_text('[gate.thresholds]\n"evasion.gradient.robust_accuracy" = ">= 0.4"\n')
    assert len(command(threshold=["privacy.membership.auc <= 0.6"]).thresholds) == 2


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"jobs": "0"}, "--jobs"),
        ({"jobs": "two"}, "--jobs is 'two'"),
        ({"batch_size": "-1"}, "--batch-size"),
        ({"formats": ["pdf"]}, "--format"),
    ],
)
def test_a_wrong_value_is_named_by_its_flag(here, flags, words):
    with pytest.raises(UsageError, match=words):
        command(**flags)
