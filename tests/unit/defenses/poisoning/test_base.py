import numpy as np
import pytest

from gambeson.defenses.poisoning.base import detectors, log_softmax, of_label
from tests.poison_worlds import poisoned_inspection


def test_log_softmax_and_the_entry_of_the_label():
    logits = np.array([[0.0, np.log(3.0)]])
    assert np.allclose(np.exp(log_softmax(logits)), [[0.25, 0.75]])
    assert np.allclose(of_label(log_softmax(logits), np.array([1])), np.log(0.75))


@pytest.mark.parametrize("name", detectors.names())
def test_every_detector_is_repeatable_finite_and_leaves_the_inspection_alone(name):
    seen, _ = poisoned_inspection()
    parts = (seen.x, seen.y, seen.features, seen.logits, seen.held_out)
    before = [part.copy() for part in parts]
    found = [detectors[name].plugin().suspicion(seen) for _ in range(2)]
    assert found[0].shape == seen.y.shape
    assert np.isfinite(found[0]).all()
    assert np.array_equal(found[0], found[1])
    assert all(
        np.array_equal(a, b)
        for a, b in zip(before, (seen.x, seen.y, seen.features, seen.logits, seen.held_out), strict=True)
    )
