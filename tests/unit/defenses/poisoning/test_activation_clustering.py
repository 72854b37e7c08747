from dataclasses import replace

import numpy as np

from gambeson.defenses.poisoning.activation_clustering import ActivationClustering
from tests.poison_worlds import poisoned_inspection


def test_the_smaller_of_two_clusters_is_suspicious():
    seen, _ = poisoned_inspection()
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (len(seen.y), 12)).astype(np.float32)
    odd = np.flatnonzero(seen.y == 1)[:20]
    features[odd] += 4
    scores = ActivationClustering().suspicion(replace(seen, features=features))
    assert set(np.argsort(-scores)[:20].tolist()) == set(odd.tolist())
