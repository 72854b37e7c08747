"""Certified and attacked accuracy on the same samples, and smoothing against its closed form."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import NormalDist

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

import gambeson as gb
from benchmarks.subjects import Subject
from examples import train_digits
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.protocols import strongest
from gambeson.certify.accuracy import Proving, affordable, certify_samples
from gambeson.certify.brackets import attack_upwards, brackets
from gambeson.certify.reading import check_network, read_network
from gambeson.certify.smoothing import Smoothing, certify_smoothed
from gambeson.core.reproduce import Seed
from gambeson.core.stats import clopper_pearson
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes

CHEAP, DEAR = 10**8, 10**10
"""Multiplications for one sample's proof at one radius: intervals with one pass back, or all methods."""
LADDER = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
SIGMA = 0.25
TRUTH = 100_000


def certified_tables(small: Subject, robust: Subject | None, *, quick: bool) -> list[str]:
    """Markdown tables: both networks certified and attacked, and the small one smoothed.

    Args:
        small: The digits network.
        robust: The robust MNIST network and a thousand samples or more, or ``None`` where the data is absent.
        quick: Fewer samples.
    """
    tables = [certified_table(small, 0.1, 50 if quick else 300, DEAR)]
    if robust is not None:
        tables.append(certified_table(robust, 0.1, 50 if quick else 1_000, CHEAP))
        tables.append(certified_table(robust, 0.3, 10 if quick else 100, DEAR))
    data = gb.open_dataset("builtin:digits")
    rows = train_digits.load_split(data, "train")
    tables.append(smoothing_table(small, 20 if quick else 200, train_digits.build(), rows))
    return tables


def certified_table(subject: Subject, eps: float, count: int, most: int) -> str:
    """A Markdown table for one network: five radii, bounds and ``strongest`` on the same samples.

    Args:
        subject: The network and the samples that it gets right.
        eps: The largest radius.
        count: How many of the samples.
        most: Multiplications for one sample's proof at one radius.

    Raises:
        Contradiction: A sample is certified and broken within one radius.
    """
    samples = subject.samples.select(torch.arange(min(count, len(subject.samples))))
    space = PerturbationSet.of(ThreatModel(Norm.LINF, eps), subject.schema)
    network, passes = read_network(subject.model), Passes(subject.model)
    check_network(network, passes, samples.x)
    radii = [eps * factor for factor in LADDER]
    begun = time.process_time()
    proved = certify_samples(network, samples, space, radii, Proving(affordable(network, most)))
    proving = time.process_time() - begun
    begun = time.process_time()
    attacked = attack_upwards(
        strongest(Norm.LINF, len(subject.schema.classes)), passes, samples, space, radii, run=Run(Seed(0))
    )
    attacking = time.process_time() - begun
    lines = [
        f"## Certified and attacked: {subject.name}",
        "",
        f"{len(samples)} samples that the network gets right, linf, {len(radii)} radii. Proved by "
        f"{', '.join(proved.methods)} in float64, less what float32 rounding of the model can take away: "
        f"{proving:.0f} s of CPU. Attacked by `strongest`, certified samples included: {attacking:.0f} s. Samples "
        "that are certified at a radius and broken within it: 0 (one would end the benchmark).",
        "",
        "| eps | certified, at least | attacked, at most | certified by |",
        "|---|---|---|---|",
    ]
    found = brackets(radii, proved.certified, attacked, samples.index)
    for row, item in enumerate(found):
        by = ", ".join(f"{name} {n}" for name, n in proved.proved_by(row).items() if n)
        lines.append(
            f"| {item.eps:.4g} | {item.certified.value:.3f} | {item.attacked.value:.3f} | {by or 'none'} |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def smoothing_table(
    subject: Subject, count: int, build: nn.Module, rows: tuple[torch.Tensor, torch.Tensor]
) -> str:
    """A Markdown table: certificates of Cohen et al.'s CERTIFY beside 100 times as many noisy copies.

    Args:
        subject: Gives the samples.
        count: How many.
        build: The untrained network; it is trained on noisy rows, as in the paper, and kept in build/.
        rows: Training features and labels.
    """
    module = _noisy(
        build, rows, Path("build") / f"{subject.model.info.shape[1]}px_noise{SIGMA:g}.safetensors"
    )
    model = _Plain(module, subject.model.info)
    samples, passes = (
        subject.samples.select(torch.arange(min(count, len(subject.samples)))),
        Passes(model, 512),
    )
    lines = [
        f"## Randomised smoothing: the network of {subject.name}, trained with noise",
        "",
        f"sigma {SIGMA:g}, n0 100, alpha 0.001, {len(samples)} samples. A certificate is checked against {TRUTH:,} "
        "fresh noisy copies: it counts as refuted where the 99.9% interval of the class's probability lies below the "
        "bound that was certified. Chance allows one sample in 1,000. Largest radius: what n agreeing copies give, "
        "sigma Φ⁻¹(0.001^(1/n)), the value in the paper.",
        "",
        "| n | right and certified at 0 | 0.25 | 0.5 | abstained | bound above the truth | largest radius, formula |",
        "|---|---|---|---|---|---|---|",
    ]
    for n in (100, 1_000, 10_000):
        how = Smoothing(SIGMA, 100, n)
        found = certify_smoothed(passes, samples, how, Seed(0))
        right = found.predicted == samples.y.numpy()
        at = [np.mean(right & (found.radius > r)) for r in (0.0, 0.25, 0.5)]
        refuted = _refuted(passes, samples, found.predicted, found.probability)
        formula = SIGMA * NormalDist().inv_cdf(0.001 ** (1 / n))
        lines.append(
            f"| {n} | {at[0]:.3f} | {at[1]:.3f} | {at[2]:.3f} | {np.mean(found.predicted < 0):.3f} "
            f"| {refuted} of {int((found.predicted >= 0).sum())} | {found.radius.max():.4f}, {formula:.4f} |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


class _Plain:
    """A module behind the seam."""

    device = "cpu"

    def __init__(self, module: nn.Module, info: ModelInfo) -> None:
        self.module, self.info = module.eval(), info

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores."""
        return self.module(x)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of arrays."""
        with torch.no_grad():
            return self.module(torch.from_numpy(x)).numpy()


def _refuted(passes: Passes, samples: Samples, predicted: np.ndarray, bound: np.ndarray) -> int:
    """How many certified bounds lie above the 99.9% interval of a hundred thousand fresh votes."""
    generator = torch.Generator().manual_seed(1)
    refuted, chunk = 0, 5_000
    for row in np.flatnonzero(predicted >= 0):
        hits = 0
        for _ in range(TRUTH // chunk):
            noise = SIGMA * torch.randn(chunk, *samples.x.shape[1:], generator=generator)
            hits += int((passes.scores(samples.x[row] + noise).argmax(1) == predicted[row]).sum())
        refuted += clopper_pearson(hits, TRUTH, 0.999).high < bound[row]
    return refuted


def _noisy(module: nn.Module, rows: tuple[torch.Tensor, torch.Tensor], path: Path) -> nn.Module:
    """The network trained on noisy rows (Cohen et al. 2019, section 3.3), or as kept from last time."""
    if path.exists():
        module.load_state_dict(load_file(path))
        return module.eval()
    torch.manual_seed(0)
    x, y = rows
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    for _ in range(max(3, 40_000 // len(x))):
        for batch in torch.randperm(len(x)).split(128):
            noisy = x[batch] + SIGMA * torch.randn_like(x[batch])
            optimizer.zero_grad()
            F.cross_entropy(module(noisy), y[batch]).backward()
            optimizer.step()
    path.parent.mkdir(exist_ok=True)
    save_file(module.state_dict(), path)
    return module.eval()
