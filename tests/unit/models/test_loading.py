import builtins
import io
import pickle
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import skops.io
import torch
import xgboost
from safetensors.torch import save
from sklearn.naive_bayes import GaussianNB
from torch import nn

from gambeson.core.errors import GambesonError, Refused, Unavailable, UsageError
from gambeson.core.reproduce import digest_file
from gambeson.data.schema import Schema
from gambeson.models.loading import describe, open_model
from tests.unit.models.conftest import CANCER, Payload, cancer


def linear():
    torch.manual_seed(0)
    return nn.Linear(30, 2).eval()


def program():
    buffer = io.BytesIO()
    shapes = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(linear(), (torch.zeros(2, 30),), dynamic_shapes=shapes), buffer)
    return buffer.getvalue()


def boosters():
    x, y = cancer()
    trees = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(x, label=y), 2)
    options = {"objective": "binary", "verbosity": -1}
    leaves = lightgbm.train(options, lightgbm.Dataset(x.astype(float), y), 2)
    return bytes(trees.save_raw("json")), leaves.model_to_string().encode()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One file of every format, by name, and a factory beside them."""
    folder = tmp_path_factory.mktemp("models")
    x, y = cancer()
    trees, leaves = boosters()
    contents = {
        "m.pt2": program(),
        "m.safetensors": save(linear().state_dict()),
        "m.json": trees,
        "m.txt": leaves,
        "m.skops": skops.io.dumps(GaussianNB().fit(x, y)),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "nets.py").write_text("from torch import nn\n\ndef build():\n    return nn.Linear(30, 2)\n")
    (folder / "fun.py").write_text("def score(x):\n    return x[:, :2]\n")
    return folder


KINDS = {
    "m.pt2": "torch",
    "m.safetensors": "torch",
    "m.json": "xgboost",
    "m.txt": "lightgbm",
    "m.skops": "sklearn",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_format_opens_with_the_digest_of_its_file(files, name):
    model = open_model(str(files / name), schema=CANCER, factory=f"{files / 'nets.py'}:build")
    assert (model.info.kind, model.info.digest) == (KINDS[name], digest_file(files / name))
    assert model.scores(np.ascontiguousarray(cancer()[0][:3])).shape == (3, 2)


def test_the_content_decides_where_the_extension_says_nothing(files, write):
    path = write("weights.bin", (files / "m.skops").read_bytes())
    assert open_model(path, schema=CANCER).info.kind == "sklearn"


def test_a_function_opens_by_uri(files):
    assert (
        open_model(f"python:{files / 'fun.py'}:score", schema=CANCER, scores="logits").info.kind == "callable"
    )


@pytest.mark.parametrize(
    "suffix", [".pt2", ".onnx", ".skops", ".pkl", ".safetensors", ".txt", ".json", ".pt"]
)
def test_no_pickle_runs_under_any_name(write, tmp_path, suffix):
    trap = tmp_path / "ran"
    with pytest.raises(Refused):
        open_model(write("m" + suffix, pickle.dumps(Payload(trap))), schema=CANCER, factory="math:sqrt")
    assert not trap.exists()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kept", [0.01, 0.4, 0.8])
def test_a_truncated_file_is_one_gambeson_error(files, write, name, kept):
    data = (files / name).read_bytes()
    path = write(name, data[: int(len(data) * kept)])
    factory = f"{files / 'nets.py'}:build"
    if name == "m.txt" and b"\nend of trees" in data[: int(len(data) * kept)]:
        return  # what is cut off behind the trees are the parameters, which the scores don't need
    with pytest.raises(GambesonError):
        open_model(path, schema=CANCER, factory=factory)


def test_an_archive_of_arrays_is_no_model(write):
    buffer = io.BytesIO()
    np.savez(buffer, x=np.zeros(3))
    with pytest.raises(UsageError, match=r"NumPy \.npz archive, which is no model"):
        open_model(write("m.npz", buffer.getvalue()), schema=CANCER)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("m.skops", "skops", "sklearn"), ("m.json", "xgboost", "boosting"), ("m.txt", "lightgbm", "boosting"),
     ("m.safetensors", "safetensors", "torch"), ("m.pt2", "torch", "torch")],
)  # fmt: skip
def test_a_missing_framework_names_its_extra(files, monkeypatch, name, package, extra):
    original = builtins.__import__

    def without(wanted, *args, **kwargs):
        if wanted.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {wanted!r}", name=package)
        return original(wanted, *args, **kwargs)

    for module in [m for m in sys.modules if m.startswith("gambeson.models.torch_")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unavailable, match=rf"gambeson\[{extra}\]"):
        open_model(str(files / name), schema=CANCER, factory=f"{files / 'fun.py'}:score")


def test_facts_for_the_report(files):
    facts = dict(describe(open_model(str(files / "m.pt2"), schema=CANCER)))
    assert facts["framework"] == "PyTorch"
    assert facts["input"] == "30"
    assert facts["parameters"] == "62"
    assert (facts["gradients"], facts["reference models"]) == ("yes", "cannot be trained")


def test_the_public_resnet20_is_as_accurate_in_both_formats(real_data):
    image = pytest.importorskip("PIL.Image")
    packed = np.load(real_data("cifar10_test_jpeg.npz"), allow_pickle=False)
    spans = zip(packed["offsets"][:128], packed["offsets"][1:129], strict=True)
    pictures = [image.open(io.BytesIO(packed["bytes"][a:b].tobytes())) for a, b in spans]
    x = np.stack([np.asarray(p.convert("RGB"), np.float32) / 255 for p in pictures]).transpose(0, 3, 1, 2)
    x, schema = np.ascontiguousarray(x), Schema((3, 32, 32), tuple(map(str, range(10))))
    factory = f"{Path(__file__).parents[3] / 'examples' / 'resnet20.py'}:build"
    weights, graph = (
        open_model(str(real_data(f"models/resnet20_cifar10.{kind}")), schema=schema, factory=factory)
        for kind in ("safetensors", "onnx")
    )
    scores = weights.scores(x)
    np.testing.assert_allclose(graph.scores(x), scores, atol=1e-3)
    assert 0.74 < (scores.argmax(1) == packed["labels"][:128]).mean() < 0.88
    with pytest.raises(GambesonError, match=r"\(3, any, any\); the data gives \(1, 8, 8\)"):
        open_model(weights.info.name, schema=Schema((1, 8, 8), schema.classes), factory=factory)
