import torch

from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.networks import inspector
from gambeson.models.torch_features import last_features
from tests.poison_worlds import TABLE


def test_pictures_of_any_size_and_tables_get_a_network_with_features():
    for schema in (
        Schema((1, 28, 28), ("a", "b")),
        Schema((3, 70, 50), ("a", "b", "c")),
        Schema((3, 8, 8), ("a", "b")),
        TABLE,
    ):
        features, said = last_features(inspector(schema).eval(), torch.zeros(2, *schema.shape))
        assert said.shape == (2, len(schema.classes))
        assert features.shape == (2, 128)
