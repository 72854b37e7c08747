import json

from tests.corpus.hostile_models import LAMBDA, layer
from tests.corpus.look import rules_of
from tests.corpus.messages import hdf5

MODEL = {"class_name": "Sequential", "config": {"layers": [layer("Dense", units=2)]}}


def test_a_model_without_code_passes():
    assert rules_of(hdf5(json.dumps(MODEL)), "m.h5") == set()
    assert rules_of(hdf5("weights only"), "m.h5") == set()


def test_a_lambda_layer_is_found_however_it_is_written():
    text = json.dumps(MODEL | {"config": {"layers": [LAMBDA]}})
    assert rules_of(hdf5(text), "m.h5") == {"scan.keras.lambda"}
    assert rules_of(hdf5(text.replace("Lambda", "\\u004cambda")), "m.h5") == {"scan.keras.lambda"}
    assert rules_of(hdf5(text[:-9]), "m.h5") == {"scan.keras.lambda"}
    assert rules_of(hdf5(json.dumps(MODEL) + "\0" * 20 + text), "m.h5") == {"scan.keras.lambda"}


def test_where_it_ends_is_checked():
    assert rules_of(hdf5("x", tail=bytes(99)), "m.h5") == set()
    assert rules_of(hdf5("x", tail=b"tail"), "m.h5") == {"scan.file.polyglot"}
    assert rules_of(hdf5("x")[:-9], "m.h5") == {"scan.hdf5.broken"}
