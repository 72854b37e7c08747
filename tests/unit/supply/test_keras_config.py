import json

import pytest

from tests.corpus.hostile_models import LAMBDA, layer
from tests.corpus.look import rules_of


def found(value):
    return rules_of(json.dumps(value).encode(), "config.json")


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (LAMBDA, "scan.keras.lambda"), ({"class_name": "keras>Lambda", "config": {}}, "scan.keras.lambda"),
        (layer("TFSMLayer", filepath="/x"), "scan.keras.lambda"), (layer("Popen", "subprocess"), "scan.keras.object"),
        (layer("function", "builtins"), "scan.keras.object"), (layer("get_file", "keras.utils"), "scan.keras.object"),
        (layer("Mine", "pkg", "pkg>Mine"), "scan.keras.object"),
        (layer("Lookup", vocabulary="/etc/passwd"), "scan.keras.path"),
        ({"config": json.dumps(LAMBDA)}, "scan.keras.lambda"),
        ({"config": '{"class_name": broken'}, "scan.keras.broken"),
        (layer("x", "keras.layersevil"), "scan.keras.object"), ([[[[{"a": {"b": LAMBDA}}]]]], "scan.keras.lambda"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_code_and_foreign_names_are_found(value, rule):
    assert found({"x": value}) == {rule}


@pytest.mark.parametrize(
    "value",
    [
        layer("Dense", units=3, kernel_initializer=layer("GlorotUniform", "keras.initializers")),
        {"class_name": "Dense", "config": {"units": 3}}, layer("Functional", "keras.src.models.functional"),
        layer("TextVectorization", vocabulary=["a"]), {"module": "builtins", "class_name": "slice", "config": [1]},
        {"class_name": "Adam", "config": {}, "registered_name": "keras>Adam"}, {"class_name": None},
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_keras_writes_passes(value):
    assert found({"x": value}) == set()
