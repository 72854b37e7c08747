"""Randomised smoothing: a classifier that votes over Gaussian noise, with a certified l2 radius or an abstention.

The smoothed classifier is another one than its base: certificates speak of it alone, and so must attacks that are
held against them.

Source: Cohen, Rosenfeld & Kolter 2019, Certified adversarial robustness via randomized smoothing,
arXiv:1902.02918, theorem 1 and algorithms PREDICT and CERTIFY of section 3.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.harness import Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import UsageError
from gambeson.core.ports import Clock
from gambeson.core.reproduce import Seed
from gambeson.core.stats import clopper_pearson
from gambeson.models.passes import Passes

_TOGETHER = 256
"""Copies drawn together; the noise must not depend on the size of a model pass."""

ABSTAIN = -1
"""The answer where the vote is too close to call."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How to smooth and how sure to be.

    Attributes:
        sigma: Standard deviation of the noise, in input units.
        n0: Noisy copies that choose the class.
        n: Fresh noisy copies that estimate its probability.
        alpha: Chance that a certificate may be wrong, for each sample.

    Raises:
        UsageError: A value is out of range.
    """

    sigma: float
    n0: int = 100
    n: int = 1_000
    alpha: float = 0.001

    def __post_init__(self) -> None:
        if not (0 < self.sigma < float("inf")):
            raise UsageError(f"sigma is {self.sigma:g}.", expected="a noise above 0, in input units")
        if self.n0 < 1 or self.n < 1:
            raise UsageError(f"n0 is {self.n0} and n is {self.n}.", expected="at least 1 noisy copy each")
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha is {self.alpha:g}.", expected="a chance between 0 and 1, e.g. 0.001")

    @property
    def largest(self) -> float:
        """The radius when all n copies agree: no certificate can say more."""
        return self.sigma * max(0.0, NormalDist().inv_cdf(lower_confidence(self.n, self.n, self.alpha)))


@dataclass(frozen=True, slots=True)
class SmoothedAnswers:
    """What the smoothed classifier says of n samples.

    Attributes:
        predicted: (n,) int64 class, or ``ABSTAIN``.
        radius: (n,) float64 certified l2 radius in input units; 0 where it abstains.
        probability: (n,) float64 lower confidence bound of the class's probability.
        unfinished: Samples that time did not suffice for; they count as abstentions.
    """

    predicted: np.ndarray
    radius: np.ndarray
    probability: np.ndarray
    unfinished: int = 0


@lru_cache(maxsize=4096)
def lower_confidence(count: int, n: int, alpha: float) -> float:
    """One-sided lower bound of a probability: below it with chance at most ``alpha`` (Clopper-Pearson)."""
    return clopper_pearson(count, n, level=1 - 2 * alpha).low if alpha < 0.5 else count / n


def radius_of(count: int, how: Smoothing) -> tuple[float, float]:
    """Certified radius and lower bound of the probability, from the votes for a class among ``how.n``."""
    low = lower_confidence(count, how.n, how.alpha)
    if low <= 0.5:
        return 0.0, low
    return how.sigma * NormalDist().inv_cdf(min(low, 1 - 1e-16)), low


def certify_smoothed(
    passes: Passes,
    samples: Samples,
    how: Smoothing,
    seed: Seed,
    *,
    deadline: float | None = None,
    clock: Clock = time.monotonic,
    report: Callable[[int], None] = lambda samples: None,
) -> SmoothedAnswers:
    """CERTIFY for each sample: the class that noise leaves on top, and how far it is certain to stay there.

    Args:
        passes: The base model; only its labels are used. Noisy inputs leave the bounds of the data, as in the paper.
        samples: What to certify.
        how: Noise, numbers of copies, alpha.
        seed: Of the noise; the noise of a sample depends on its index alone.
        deadline: Value of ``clock`` at which to stop.
        clock: Monotonic seconds.
        report: Called with the number of samples done.

    Raises:
        ModelError: The model answered with something unusable on a noisy input.
    """
    answers = SmoothedAnswers(np.full(len(samples), ABSTAIN), np.zeros(len(samples)), np.zeros(len(samples)))
    keys = seed.keys(samples.index)
    for row in range(len(samples)):
        if deadline is not None and clock() >= deadline:
            left = len(samples) - row
            return SmoothedAnswers(answers.predicted, answers.radius, answers.probability, left)
        counts, fresh = (
            votes(passes, samples.x[row], how.sigma, copies, int(keys[row]), stream)
            for stream, copies in ((0, how.n0), (2, how.n))
        )
        top = int(counts.argmax())
        answers.radius[row], answers.probability[row] = radius_of(int(fresh[top]), how)
        answers.predicted[row] = top if answers.radius[row] > 0 else ABSTAIN
        report(1)
    return answers


def predict_smoothed(passes: Passes, samples: Samples, how: Smoothing, seed: Seed) -> np.ndarray:
    """PREDICT for each sample: (n,) its class with error at most ``alpha``, or ``ABSTAIN``.

    The two leading classes are compared by an exact two-sided binomial test.

    Raises:
        ModelError: The model answered with something unusable on a noisy input.
    """
    found = np.full(len(samples), ABSTAIN)
    for row, key in enumerate(seed.keys(samples.index)):
        counts = votes(passes, samples.x[row], how.sigma, how.n, int(key), 4).astype(int)
        second, first = np.argsort(counts, kind="stable")[-2:]
        both = int(counts[first] + counts[second])
        # p-value <= alpha exactly where the one-sided bound at alpha / 2 is above one half
        if lower_confidence(int(counts[first]), both, how.alpha / 2) > 0.5:
            found[row] = first
    return found


def votes(passes: Passes, x: Tensor, sigma: float, copies: int, key: int, stream: int) -> np.ndarray:
    """(classes,) how many of so many noisy copies of one input (``x``, without batch axis) get each class."""
    counts = np.zeros(passes.model.info.classes, np.int64)
    random = SampleRandom(torch.tensor([key]))
    for step, start in enumerate(range(0, copies, _TOGETHER)):
        size = min(_TOGETHER, copies - start)
        noise = random.normal(step, size, *x.shape, stream=stream)[0]
        labels = passes.scores((x + sigma * noise).to(passes.device)).argmax(1).cpu().numpy()
        counts += np.bincount(labels, minlength=len(counts))
    return counts
