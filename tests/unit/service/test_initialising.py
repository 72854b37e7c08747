from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.service.commands import AuditCommand, InitCommand
from gambeson.service.configuring import to_command
from gambeson.service.initialising import initialise
from gambeson.settings import (
    AuditSettings,
    DataSettings,
    GateSettings,
    ModelSettings,
    SuppressSettings,
    ThreatSettings,
    config_schema,
    load_settings,
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    import skops.io
    from sklearn.linear_model import LogisticRegression

    import gambeson as gb

    split = gb.open_dataset("builtin:breast_cancer").split("train")
    x, y = split.take(np.arange(100))
    path = tmp_path_factory.mktemp("model") / "modèle 🛡.skops"
    skops.io.dump(LogisticRegression(C=1e-4, max_iter=1_000).fit(x / 1_000, y), path)
    return path


CALLABLE = """
import numpy as np

def scores(x):
    flat = x.reshape(len(x), -1)
    return np.stack([flat[:, i] - i for i in range(10)], 1)
"""


NET = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
"""


def written(command):
    text = initialise(command)
    jsonschema.validate(tomllib.loads(text), config_schema())
    assert command.path.read_text(encoding="utf-8") == text
    return to_command(load_settings(command.path, {}))


def test_a_table_gets_shares_of_the_range_and_the_access_that_the_model_offers(tmp_path, pipeline):
    command = written(InitCommand(str(pipeline), "builtin:breast_cancer", path=tmp_path / "gambeson.toml"))
    threat = command.threats[0]
    assert (threat.eps, threat.unit, threat.access) == (0.1, "range", Access.SCORES)
    assert command.train_split == "train"


def test_pictures_get_a_radius_in_input_units_and_a_function_is_found_from_the_file(tmp_path):
    (tmp_path / "net.py").write_text(CALLABLE)
    model = f"python:{tmp_path}/net.py:scores"
    command = written(InitCommand(model, "builtin:digits", path=tmp_path / "sub" / "gambeson.toml"))
    threat = command.threats[0]
    assert (threat.eps, threat.unit, threat.access) == (8 / 255, "input", Access.SCORES)
    assert command.model == model


def test_weights_with_a_factory_get_an_attacker_that_sees_gradients(tmp_path):
    import torch
    from safetensors.torch import save_file

    (tmp_path / "net.py").write_text(NET)
    save_file({"1.weight": torch.eye(10, 64), "1.bias": torch.zeros(10)}, tmp_path / "net.safetensors")
    factory = f"{tmp_path}/net.py:build"
    model = str(tmp_path / "net.safetensors")
    command = written(InitCommand(model, "builtin:digits", factory=factory, path=tmp_path / "gambeson.toml"))
    threat = ThreatModel(Norm.LINF, 8 / 255, Access.GRADIENT)
    assert command == AuditCommand(
        model, "builtin:digits", factory, train_split="train", threats=(threat,), out=command.out
    )
    assert '"evasion.gradient.robust_accuracy"' in (tmp_path / "gambeson.toml").read_text()


def test_every_setting_stands_in_the_file_and_is_explained(tmp_path, pipeline):
    path = tmp_path / "gambeson.toml"
    lines = initialise(InitCommand(str(pipeline), "builtin:breast_cancer", path=path)).splitlines()
    kinds = (ModelSettings, DataSettings, ThreatSettings, AuditSettings, GateSettings, SuppressSettings)
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    plain = {"formats", "thresholds", "finding", "reason"}  # their values, or the lines above, say it all
    for name in names - {"thresholds"}:
        line = next(line for line in lines if line.removeprefix("# ").startswith(f"{name} = "))
        assert name in plain or " # " in line or "  # " in line, line


def test_categories_are_named_with_the_key_that_lets_them_change(tmp_path):
    rows = [f"{i / 40},{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}" for i in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["size,the colour,label", *rows]))
    (tmp_path / "net.py").write_text(CALLABLE.replace("flat[:, i]", "flat[:, 0]").replace("10", "2"))
    command = InitCommand(
        f"python:{tmp_path}/net.py:scores", str(tmp_path / "t.csv"), path=tmp_path / "gambeson.toml"
    )
    assert written(command).threats[0].frozen == ()
    text = command.path.read_text()
    assert '# There are "the colour"' in text
    assert "categories" not in tomllib.loads(text)["threat"][0]
    text = text.replace("# categories = 1 ", "categories = 1 ")
    assert tomllib.loads(text)["threat"][0]["categories"] == 1


def test_what_is_not_asked_for_is_the_default_of_an_audit(tmp_path, pipeline):
    command = written(InitCommand(str(pipeline), "builtin:breast_cancer", path=tmp_path / "gambeson.toml"))
    default = AuditCommand(
        command.model, command.data, train_split=command.train_split, threats=command.threats, out=command.out
    )
    assert command == default


def test_paths_are_found_from_the_folder_of_the_file(tmp_path, pipeline, monkeypatch):
    monkeypatch.chdir(pipeline.parent)
    path = tmp_path / "deep" / "gambeson.toml"
    command = written(InitCommand(pipeline.name, "builtin:breast_cancer", path=path))
    assert command.model == pipeline.name
    assert command.data == "builtin:breast_cancer"


def test_options_of_the_data_and_classes_are_kept(tmp_path, pipeline):
    table = tmp_path / "t.csv"
    rows = np.random.default_rng(0).random((60, 30)).round(3)
    lines = [",".join(map(str, [*row, "no" if row[0] < 0.5 else "yes"])) for row in rows]
    table.write_text("\n".join([",".join([*(f"f{i}" for i in range(30)), "the class"]), *lines]))
    given = InitCommand(
        str(pipeline),
        str(table),
        data_options=(("label", "the class"), ("freeze", "f0,f1")),
        classes=2,
        path=tmp_path / "gambeson.toml",
    )
    command = written(given)
    assert command.data_options == given.data_options
    assert command.classes == 2
    assert command.threats[0].frozen == ("f0", "f1")


def test_an_existing_file_is_kept_unless_forced(tmp_path, pipeline):
    path = tmp_path / "gambeson.toml"
    path.write_text("mine")
    command = InitCommand(str(pipeline), "builtin:breast_cancer", path=path)
    with pytest.raises(UsageError, match="--force"):
        initialise(command)
    assert path.read_text() == "mine"
    initialise(replace(command, force=True))
    assert path.read_text() != "mine"


def test_a_model_that_cannot_be_opened_leaves_no_file(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        initialise(InitCommand(str(tmp_path / "no.onnx"), "builtin:digits", path=tmp_path / "gambeson.toml"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_error_and_leaves_nothing_behind(tmp_path, pipeline):
    folder = tmp_path / "gambeson.toml"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be written"):
        initialise(InitCommand(str(pipeline), "builtin:breast_cancer", path=folder, force=True))
    assert list(tmp_path.iterdir()) == [folder]
