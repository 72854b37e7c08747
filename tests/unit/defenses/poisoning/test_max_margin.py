import numpy as np

from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.max_margin import Climb, max_margins
from tests.poison_worlds import PatchModel
from tests.tiny_models import linear

SCHEMA = Schema((1, 8, 8), tuple("abcdef"))


def test_the_largest_margin_of_a_linear_model_is_at_a_corner_of_the_box():
    weights = np.array([[2.0, -1.0], [0.0, 1.0]])
    found = max_margins(linear(weights), Schema((2,), ("a", "b")), Climb(4, 60), np.random.default_rng(0))
    # class 0 leads by 2a - 2b, class 1 by 2b - 2a, over [0, 1] x [0, 1]
    assert np.allclose(found, [2.0, 2.0], atol=1e-4)


def test_a_class_with_a_backdoor_has_the_largest_margin():
    found = max_margins(PatchModel(strength=60.0), SCHEMA, Climb(4, 60), np.random.default_rng(0))
    assert found.argmax() == 2


def test_probabilities_are_read_as_such():
    model = PatchModel()
    model.info = type(model.info)("p", "torch", (1, 8, 8), 6, "probabilities")
    plain = PatchModel().forward
    model.forward = lambda x: plain(x).softmax(1)  # type: ignore[method-assign]
    found = max_margins(model, SCHEMA, Climb(2, 30), np.random.default_rng(0))
    assert np.isfinite(found).all()
