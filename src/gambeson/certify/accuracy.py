"""Which samples are certified at which radius: cheapest method first, each on what the ones before left open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.certify.margins import Method, cost, margin_bounds
from gambeson.certify.network import Network
from gambeson.certify.region import Region
from gambeson.core.ports import Clock, Journal, NoJournal

_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Proving:
    """How to prove.

    Attributes:
        methods: Cheapest first.
        deadline: Value of ``clock`` at which to stop, or ``None``.
        journal: Where finished batches are kept, under ``key``.
        report: Called with the number of samples done.
    """

    methods: Sequence[Method] = tuple(Method)
    deadline: float | None = None
    journal: Journal = field(default_factory=NoJournal)
    key: str = "certified"
    clock: Clock = time.monotonic
    report: Callable[[int], None] = lambda samples: None


@dataclass(frozen=True, slots=True)
class Certificates:
    """What was proved of n samples.

    Attributes:
        radii: (k,) ascending.
        certified: (k, n) bool: every input within the radius gets the true class, proved.
        method: (k, n) number of the method in ``methods`` that proved it, -1 where none did.
        methods: Those that were tried.
        unfinished: Samples that time did not suffice for; they count as not certified.
    """

    radii: tuple[float, ...]
    certified: np.ndarray
    method: np.ndarray
    methods: tuple[Method, ...]
    unfinished: int

    @property
    def radius(self) -> np.ndarray:
        """(n,) largest radius at which each sample is certified, 0 where at none."""
        ladder = np.concatenate([[0.0], self.radii])
        largest: np.ndarray = ladder[self.certified.sum(0)]
        return largest

    def proved_by(self, row: int) -> dict[str, int]:
        """How many samples each method proved at one radius."""
        return {m.value: int((self.method[row] == i).sum()) for i, m in enumerate(self.methods)}


def affordable(network: Network, most: int) -> tuple[Method, ...]:
    """The methods that cost at most so many multiplications a sample and radius; intervals always."""
    return tuple(m for m in Method if m is Method.IBP or cost(network, m) <= most)


def certify_samples(
    network: Network, samples: Samples, space: PerturbationSet, radii: Sequence[float], how: Proving
) -> Certificates:
    """Certify each sample at each radius.

    What is certified within a radius is so within every smaller one, hence radii are tried upwards and a sample
    that fails at one counts as not certified at the larger ones.

    Args:
        network: The network that the model is.
        samples: What to certify, correctly classified or not.
        space: The perturbation set at any radius.
        radii: Radii, each once.
        how: Methods, deadline, journal.

    Raises:
        Unavailable: Bound propagation does not know the norm.
    """
    ladder = tuple(sorted(radii))
    method = np.full((len(ladder), len(samples)), -1)
    unfinished = 0
    for start in range(0, len(samples), _TOGETHER):
        rows = torch.arange(start, min(start + _TOGETHER, len(samples)))
        part = samples.select(rows)
        name = f"{how.key}/{part.index[0]}-{part.index[-1]}-{len(part)}"
        kept = how.journal.load(name)
        found = kept["method"] if kept is not None else _certify(network, part, space, ladder, how)
        if found is None:
            unfinished += len(part)
            continue
        if kept is None:
            how.journal.save(name, {"method": found})
        method[:, rows.numpy()] = found
        how.report(len(part))
    return Certificates(ladder, method >= 0, method, tuple(how.methods), unfinished)


def _certify(
    network: Network, samples: Samples, space: PerturbationSet, ladder: Sequence[float], how: Proving
) -> np.ndarray | None:
    """(k, n) number of the method that proved each; ``None`` where time is up."""
    method = np.full((len(ladder), len(samples)), -1)
    left = torch.arange(len(samples))
    for row, radius in enumerate(ladder):
        region = Region.around(space.with_eps(radius), samples.x[left])
        proved = torch.zeros(len(left), dtype=torch.bool)
        for number, name in enumerate(how.methods):
            if how.deadline is not None and how.clock() >= how.deadline:
                return None
            todo = (~proved).nonzero().squeeze(1)
            if not len(todo):
                break
            hold = _holds(network, region.select(todo), samples.y[left[todo]], name)
            method[row, left[todo[hold]].numpy()] = number
            proved[todo[hold]] = True
        left = left[proved]
        if not len(left):
            break
    return method


def _holds(network: Network, region: Region, y: Tensor, method: Method) -> Tensor:
    with torch.no_grad():
        return (margin_bounds(network, region, y, method) > 0).all(1)
