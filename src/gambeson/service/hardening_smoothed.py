"""Certificates of the vote over noisy copies, for the report of ``gambeson harden``."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.harness import Samples
from gambeson.certify.smoothing import SmoothedAnswers, Smoothing, certify_smoothed
from gambeson.core.finding import Curve, Evidence, Series, Table
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion, wilson
from gambeson.defenses.training.noise import NoiseTraining
from gambeson.models.model import Model
from gambeson.models.passes import Passes
from gambeson.models.torch_model import Network, TorchModel
from gambeson.models.torch_trainee import Trainee

_POINTS = 20
"""Radii of the curve."""
_NOTE = (
    "Of the vote over noisy copies, not of the network alone: `gambeson certify --smooth` certifies the same vote, "
    "and whoever serves it must vote, too. Each certificate holds with a chance of 99.9%."
)


def smoothing_evidence(
    before: Model, network: Trainee, samples: Samples, recipe: NoiseTraining, seed: Seed
) -> Evidence:
    """Certified accuracy against the l2 radius, of the given network and of the trained one.

    Args:
        before: What training began with.
        network: The trained one.
        samples: Rows of the test split.
        recipe: The noise, and how many copies to certify with.
        seed: Of the noise, the same for both.

    Raises:
        ModelError: A network answered with something unusable on a noisy input.
    """
    how = Smoothing(recipe.sigma, n=recipe.copies)
    module = Network(network.module, network.device, channels_last=network.channels_last)
    models = {"before": before, "trained with noise": TorchModel(module, before.info, network.answer)}
    found = {name: certify_smoothed(Passes(model), samples, how, seed) for name, model in models.items()}
    return certified_evidence(found, samples.y.numpy(), how)


def certified_evidence(found: dict[str, SmoothedAnswers], y: np.ndarray, how: Smoothing) -> Evidence:
    """A curve for each classifier, with 95% intervals, and a table of a few radii.

    Args:
        found: What CERTIFY said, by name of the classifier.
        y: (n,) labels.
        how: Gives the noise and the largest radius that can be certified.
    """
    radii = np.linspace(0, how.largest, _POINTS)
    series, rows = [], []
    for name, answers in found.items():
        right = answers.predicted == y
        counts = [int((right & (answers.radius > radius)).sum()) for radius in radii]
        bands = [wilson(count, len(y)) for count in counts]
        shares = tuple(count / len(y) for count in counts)
        low, high = tuple(b.low for b in bands), tuple(b.high for b in bands)
        series.append(Series(name, tuple(map(float, radii)), shares, low, high))
        picked = [
            str(proportion("", int((right & (answers.radius > share * how.sigma)).sum()), len(y)))
            for share in (0, 1, 2)
        ]
        rows.append((name, *picked))
    title = (
        f"Accuracy of the vote under noise {how.sigma:g} that is certified within an l2 radius, n={len(y)}"
    )
    heads = ("network", *(f"certified beyond {share * how.sigma:g}" for share in (0, 1, 2)))
    return Evidence(
        curves=(Curve("certified", title, "l2 radius (input units)", "certified accuracy", tuple(series)),),
        tables=(Table("certified", "Certified accuracy of the vote", heads, tuple(rows), _NOTE),),
    )
