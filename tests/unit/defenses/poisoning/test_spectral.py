from dataclasses import replace

import numpy as np

from gambeson.defenses.poisoning.spectral import SpectralSignatures
from tests.poison_worlds import poisoned_inspection


def test_a_small_far_group_has_the_largest_scores():
    seen, _ = poisoned_inspection()
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (len(seen.y), 5)).astype(np.float32)
    odd = np.flatnonzero(seen.y == 2)[:10]
    features[odd, 3] += 20
    scores = SpectralSignatures().suspicion(replace(seen, features=features))
    assert set(np.argsort(-scores)[:10].tolist()) == set(odd.tolist())
