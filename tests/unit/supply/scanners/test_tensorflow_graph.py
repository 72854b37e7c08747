import json

import pytest

from tests.corpus.hostile_models import LAMBDA
from tests.corpus.look import rules_of
from tests.corpus.messages import count, node, saved_model, text


def test_ordinary_operators_pass():
    assert (
        rules_of(
            saved_model(["MatMul", "SaveV2", "RestoreV2", "ShardedFilename"], ["Relu"]), "saved_model.pb"
        )
        == set()
    )


@pytest.mark.parametrize(
    "name",
    [
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "PyFunc",
        "EagerPyFunc",
        "PyFuncStateless",
        "WholeFileReaderV2",
    ],
)
def test_operators_that_touch_files_or_python_are_found(name):
    for data in (
        saved_model([name]),
        saved_model(["MatMul"], [name]),
        text(1, node("Relu")) + text(1, node(name)) + text(4, count(1, 3)),
    ):
        assert rules_of(data, "saved_model.pb") == {"scan.tensorflow.op"}


def test_lambda_layers_in_the_metadata_are_found():
    assert rules_of(saved_model(["MatMul"], metadata=json.dumps(LAMBDA)), "saved_model.pb") == {
        "scan.keras.lambda"
    }


def test_a_break_is_found():
    assert rules_of(saved_model(["MatMul"])[:-3], "saved_model.pb") == {"scan.tensorflow.broken"}
