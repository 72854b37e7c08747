from dataclasses import replace

import numpy as np

from gambeson.defenses.poisoning.robust_whitening import RobustWhitening
from gambeson.defenses.poisoning.spectral import SpectralSignatures
from tests.poison_worlds import poisoned_inspection, separation


def test_a_signature_that_hides_in_a_direction_of_little_variance_is_seen():
    seen, _ = poisoned_inspection()
    rng = np.random.default_rng(0)
    scale = np.array([30.0, 10.0, 5.0, 1.0, 0.2])
    features = (rng.normal(0, 1, (len(seen.y), 5)) * scale).astype(np.float32)
    odd = np.zeros(len(seen.y), bool)
    odd[np.flatnonzero(seen.y == 2)[:15]] = True
    features[odd, 4] += 2.0
    planted = replace(seen, features=features)
    assert separation(RobustWhitening(components=5).suspicion(planted), odd) > 0.95
    assert separation(SpectralSignatures().suspicion(planted), odd) < 0.7
