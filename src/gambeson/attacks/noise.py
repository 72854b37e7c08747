"""Random directions cut from one table of normal numbers: a copy in place of thousands of draws.

Attacks on labels spend one direction of the input's size on each query, and drawing it costs as much as a
small network's answer. Rows that start at different places of the table are as good as independent: a shift by
one number is enough.

Source: Salimans et al. 2017, arXiv:1703.03864, section 2.1 (one shared block of noise, read at random places).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from gambeson.attacks.randomness import SampleRandom

_STARTS = 1 << 21
"""Places at which a row may start."""
_SEED = 0x6E6F697365
_HASHED, _APART = 1_000, 1 << 32
"""Places are hashed in parts of this many, under step numbers that no attack reaches."""


def starts(rng: SampleRandom, step: int, count: int, stream: int = 0) -> Tensor:
    """(n, count) int64: where in the table each of the samples' directions begins.

    A draw's first ``k`` places do not depend on ``count``.

    Args:
        rng: One generator per sample.
        step: The attack's step.
        count: Directions per sample.
        stream: 0 to 15, as in ``SampleRandom``.
    """
    draw = rng.uniform(step, min(count, _HASHED), stream=stream)
    if count > _HASHED:
        more = [
            rng.uniform(step + at * _APART, _HASHED, stream=stream) for at in range(1, -(-count // _HASHED))
        ]
        draw = torch.cat([draw, *more], 1)[:, :count]
    return (draw * _STARTS).floor().to(torch.int64)


def table(size: int, device: torch.device) -> Tensor:
    """(places, size) view of the table: row ``i`` holds the ``size`` normal numbers from place ``i``."""
    numbers = _numbers(size, str(device))
    return numbers.as_strided((_STARTS, size), (1, 1))


def normal(rng: SampleRandom, step: int, *shape: int, stream: int = 0) -> Tensor:
    """(n, *shape) standard normal: one row of the table for each sample."""
    rows = table(math.prod(shape), rng.keys.device)
    return rows.index_select(0, starts(rng, step, 1, stream)[:, 0]).reshape(-1, *shape)


@lru_cache(maxsize=4)
def _numbers(size: int, device: str) -> Tensor:
    """The table, long enough for a row of ``size`` numbers at its last place; the same at every call."""
    generator = torch.Generator().manual_seed(_SEED)
    first = torch.randn(_STARTS, generator=generator)
    return torch.cat([first, torch.randn(size, generator=generator)]).to(device)
