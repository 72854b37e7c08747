from dataclasses import replace

import numpy as np
import torch
from torch import nn

from gambeson.defenses.poisoning.scale_up import ScaleUp
from tests.poison_worlds import pictures, poisoned_inspection


class Fickle(nn.Module):
    """Class 0 where the last pixel is bright; else class 1 for dark pictures and 2 for bright ones."""

    def forward(self, x):
        sign = x[:, 0, 7, 7] > 0.95
        dark = x.mean((1, 2, 3)) < 0.5
        label = torch.where(sign, 0, torch.where(dark, 1, 2))
        return 10.0 * nn.functional.one_hot(label, 4)


def test_a_label_that_survives_amplification_is_suspicious():
    seen, _ = poisoned_inspection()
    x = pictures(40)[0] * np.float32(0.4)
    x[:, 0, 7, 7] = 0.1
    x[:20, 0, 7, 7] = 1.0
    y = np.where(np.arange(40) < 20, 0, 1)
    trusted = pictures(40, seed=3)[0] * np.float32(0.4)
    made = replace(seen, x=x, y=y, x_trusted=trusted, y_trusted=np.arange(40) % 2, module=Fickle())
    scores = ScaleUp(most=5).suspicion(made)
    assert scores[:20].min() > scores[20:].max()
