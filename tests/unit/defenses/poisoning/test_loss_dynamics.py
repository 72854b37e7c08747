from dataclasses import replace

import numpy as np

from gambeson.defenses.poisoning.loss_dynamics import LossDynamics
from tests.poison_worlds import poisoned_inspection


def test_what_is_learnt_early_is_suspicious_however_it_ends():
    seen, _ = poisoned_inspection()
    losses = np.ones((4, len(seen.y)), np.float32)
    losses[:2, 7] = 0.01
    losses[2:, 9] = 0.0001
    scores = LossDynamics().suspicion(replace(seen, losses=losses))
    assert scores.argmax() == 7
    assert scores[9] == scores[0]
