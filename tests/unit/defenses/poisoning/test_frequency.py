import numpy as np
import torch

from gambeson.defenses.poisoning.frequency import Frequency, _cosines, made_up
from gambeson.models.torch_training import seeded
from tests.poison_worlds import poisoned_inspection


def test_the_transform_is_orthonormal_and_a_constant_has_one_coefficient():
    turn = _cosines(8)
    assert torch.allclose(turn @ turn.T, torch.eye(8), atol=1e-5)
    flat = turn @ torch.ones(8)
    assert torch.allclose(flat, torch.tensor([8**0.5] + [0.0] * 7), atol=1e-5)


def test_made_up_triggers_change_every_picture_within_bounds():
    with seeded(0):
        x = torch.rand(40, 1, 8, 8)
        out = made_up(x)
    assert ((out >= 0) & (out <= 1)).all()
    assert (out != x).flatten(1).any(1).all()


def test_checkerboards_in_smooth_pictures_stand_out():
    from dataclasses import replace

    seen, _ = poisoned_inspection()
    rows = np.add.outer(np.arange(8), np.arange(8)) / 14
    levels = np.random.default_rng(0).uniform(0.4, 1, (600, 1, 1, 1))
    smooth = (levels * rows).astype(np.float32)
    bad = smooth[:60].copy()
    bad[:, :, 4:7, 4:7] = np.indices((3, 3)).sum(0) % 2
    planted = replace(
        seen, x=np.concatenate([smooth[:300], bad]), x_trusted=smooth[300:], y=np.zeros(360, int)
    )
    scores = Frequency(steps=120).suspicion(planted)
    assert np.median(scores[300:]) > np.quantile(scores[:300], 0.95)
