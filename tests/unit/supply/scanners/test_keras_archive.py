from tests.corpus.archives import plain_zip
from tests.corpus.hostile_models import LAMBDA, keras, layer
from tests.corpus.look import rules_of
from tests.corpus.messages import hdf5


def test_a_model_passes_and_one_with_code_does_not():
    assert rules_of(keras(layer("Dense", units=3)), "m.keras") == set()
    assert rules_of(keras(LAMBDA), "m.keras") == {"scan.keras.lambda"}


def test_a_model_without_its_description_is_broken():
    assert rules_of(plain_zip({"model.weights.h5": hdf5("")}), "m.keras") == {"scan.keras.broken"}
