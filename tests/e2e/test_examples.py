"""The examples run, and what the pages quote does what they say."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import gambeson as gb
from gambeson.interfaces.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--profile", "quick", "--samples", "16", "--only", "evasion", "--fail-on", "never", "--quiet"]


def start(script: str, *arguments: str) -> None:
    """Run an example as a reader would: as ``__main__``, with arguments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [script, *arguments])
        runpy.run_path(str(ROOT / "examples" / script), run_name="__main__")


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """The folder of models that the examples leave."""
    folder = tmp_path_factory.mktemp("demo")
    start("train_digits.py", "--out", str(folder), "--epochs", "8")
    start("train_tables.py", "--out", str(folder))
    return folder


@pytest.mark.parametrize(
    ("model", "data", "eps"),
    [
        ("digits.pt2", "builtin:digits", "0.1"),
        ("breast_cancer.skops", "builtin:breast_cancer", "10%"),
        ("breast_cancer.json", "builtin:breast_cancer", "10%"),
    ],
)
def test_an_audit_of_an_example_writes_every_report(models, tmp_path, model, data, eps):
    words = ["audit", str(models / model), "--data", data, "--eps", eps, "--out", str(tmp_path)]
    assert run(words + QUICK) == 0
    for name in ("report.html", "report.sarif", "report.junit.xml"):
        assert (tmp_path / name).stat().st_size > 1_000
    coverage = json.loads((tmp_path / "report.json").read_text())["coverage"]
    assert len(coverage) == 12
    assert {cell["outcome"] for cell in coverage if cell["family"] == "evasion"} & {"FAILED", "PASSED"}


def test_the_digit_classifier_is_accurate(tmp_path, capsys):
    start("train_digits.py", "--out", str(tmp_path))
    assert float(re.search(r"test accuracy (0\.\d+)", capsys.readouterr().out)[1]) >= 0.97


def test_the_python_of_the_readme_prints_a_figure_with_its_interval(models, capsys):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    exec(code.replace('"demo/', f'"{models}/').replace("steps=40", "steps=4"), {})
    assert re.fullmatch(r"0\.\d+ \[0\.\d+, 0\.\d+\] \(n=\d+\)\n", capsys.readouterr().out)


def test_adult_is_learnt_from_text_categories(real_data, tmp_path):
    start("train_tables.py", "--out", str(tmp_path), "--adult", str(real_data("adult.data.gz").parent))
    assert (tmp_path / "adult.skops").stat().st_size > 1_000


def test_rows_found_on_adult_keep_its_relations(real_data, tmp_path):
    start("train_adult.py", str(real_data("adult.data.gz").parent), "--out", str(tmp_path), "--rows", "3000")
    words = [
        "attack", "tabular", str(tmp_path / "adult.txt"), "--data", str(tmp_path / "adult.csv"), "--label", "income",
        "--access", "scores", "--eps", "5%", "--categories", "1", "--samples", "40", "--param", "queries=100",
        "--data-option", "relations=capital_net = capital_gain - capital_loss, education -> education_num",
        "--out", str(tmp_path / "rows"), "--no-progress",
    ]  # fmt: skip
    assert run(words) == 0
    found = np.load(tmp_path / "rows" / "adversarial.npz")
    rows = found["x_adversarial"][found["fallen"]]
    assert len(rows) > 10
    np.testing.assert_array_equal(rows[:, 12], rows[:, 10] - rows[:, 11])


@pytest.mark.parametrize(("name", "shape"), [("mnist", (1, 28, 28)), ("cifar10", (3, 32, 32))])
def test_networks_for_adversarial_training_open_from_their_untrained_weights(tmp_path, name, shape):
    start("robust_nets.py", name, str(tmp_path / "start.safetensors"))
    schema = gb.Schema(shape, tuple("0123456789"))
    factory = f"{ROOT / 'examples' / 'robust_nets.py'}:{name}"
    model = gb.open_model(str(tmp_path / "start.safetensors"), schema=schema, factory=factory)
    assert model.scores(np.full((2, *shape), 0.5, np.float32)).shape == (2, 10)
