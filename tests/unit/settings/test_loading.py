from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.core.errors import UsageError
from gambeson.settings import AuditSettings, Settings, Source, load_settings, overlay


def load(tmp_path, text, **environ):
    path = tmp_path / "gambeson.toml"
    path.write_text(text)
    return load_settings(path, environ)


def test_without_a_file_there_are_the_defaults():
    assert load_settings(None, {}) == Settings()


def test_the_environment_overrules_the_file(tmp_path):
    text = '[audit]\nprofile = "quick"\nseed = 3\nformats = ["json"]\n'
    loaded = load(tmp_path, text, GAMBESON_AUDIT_SEED="9", GAMBESON_AUDIT_FORMATS="html,sarif", HOME="/")
    assert (loaded.audit.profile, loaded.audit.seed, loaded.audit.formats) == ("quick", 9, ("html", "sarif"))


def test_unknown_variables_name_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean 'GAMBESON_AUDIT_PROFILE'"):
        load_settings(None, {"GAMBESON_AUDIT_PROFIL": "quick"})
    assert load_settings(None, {"GAMBESON_DATA": "x", "GAMBESON_DEBUG": "1"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("GAMBESON_AUDIT_SEED", "abc", "a whole number"),
        ("GAMBESON_AUDIT_PROFILE", "quikc", "did you mean 'quick'"),
        ("GAMBESON_AUDIT_FORMATS", "json,pdf", "sarif"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(variable, value, expected):
    with pytest.raises(UsageError, match=f"{variable} is (.|\n)*{expected}"):
        load_settings(None, {variable: value})


def test_an_overlay_changes_what_it_names_and_nothing_else():
    below = replace(Settings(), audit=AuditSettings(profile="quick", seed=3))
    above = overlay(below, {"audit": {"seed": 4}, "gate": {}}, Source("test"))
    assert above == replace(below, audit=AuditSettings(profile="quick", seed=4))


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    text = '[model]\npath = "m.onnx"\nfactory = "net.py:build"\n'
    text += 'surrogate = "s.pt"\nsurrogate_factory = "s.py:f"\n[data]\npath = "builtin:digits"\n'
    text += '[audit]\nout = "/abs"\n'
    loaded = load(tmp_path, text)
    assert loaded.model.path == "../m.onnx"
    assert loaded.model.factory == "../net.py:build"
    assert (loaded.model.surrogate, loaded.model.surrogate_factory) == ("../s.pt", "../s.py:f")
    assert loaded.data.path == "builtin:digits"
    assert loaded.audit.out == "/abs"


@pytest.mark.parametrize(
    "text", ["[audit", "a = ", "\x00", "[audit]\nseed = 1\nseed = 2\n", "a = " + "9" * 5_000]
)
def test_what_is_no_toml_is_one_clear_error(tmp_path, text):
    with pytest.raises(UsageError, match="no valid TOML"):
        load(tmp_path, text)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="gambeson init"):
        load_settings(tmp_path / "none.toml", {})
