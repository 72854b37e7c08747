"""How like its class, and how like single training records, a reconstruction is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.randomness import SampleRandom

_WINDOW = 7
_C1, _C2 = 0.01**2, 0.03**2


def likeness(x: Tensor, means: Tensor, space: Space) -> Tensor:
    """(m,) how like its class's mean each input is: 1 for equal, about 0 for nothing in common.

    Structural similarity for pictures; for tables the correlation over features, each brought to [0, 1].

    Args:
        x: (m, *shape) inputs.
        means: (m, *shape) the mean of the wanted class of each.
        space: Of the inputs.
    """
    a, b = space.to_unit(x), space.to_unit(means)
    if space.is_image:
        return structural_similarity(a, b)
    a, b = a.flatten(1), b.flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return F.cosine_similarity(a, b, dim=1, eps=1e-12)


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """(n,) mean structural similarity of pictures (n, C, H, W) in [0, 1], over uniform 7 x 7 windows.

    Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861, equation 13, with a uniform window and, as scikit-image
    does, sample covariances.
    """
    size = min(_WINDOW, *a.shape[2:])
    sample = size**2 / max(size**2 - 1, 1)

    def average(v: Tensor) -> Tensor:
        return F.avg_pool2d(v.double(), size, stride=1)

    a, b = a.double(), b.double()
    mean_a, mean_b = average(a), average(b)
    var_a, var_b = sample * (average(a * a) - mean_a**2), sample * (average(b * b) - mean_b**2)
    both = sample * (average(a * b) - mean_a * mean_b)
    top = (2 * mean_a * mean_b + _C1) * (2 * both + _C2)
    found: Tensor = top / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))
    return found.flatten(1).mean(1).float()


def nearer_to_training(x: Tensor, members: Tensor, others: Tensor, random: SampleRandom) -> Tensor:
    """(m, 2) distance of each input to the nearest of as many training records as fresh ones.

    Where there are more of one kind, each input gets a draw of its own of them.

    Args:
        x: (m, d) inputs of one class, in [0, 1].
        members: (k, d) training records of that class.
        others: (n, d) records of that class that the model was not trained on.
        random: One generator for each input.
    """
    count = min(len(members), len(others))
    columns = []
    for records, stream in ((members, 10), (others, 11)):
        drawn = random.uniform(0, len(records), stream=stream).argsort(1)[:, :count]
        columns.append(torch.cdist(x[:, None], records[drawn])[:, 0].amin(1))
    return torch.stack(columns, 1)
