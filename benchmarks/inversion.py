"""Model inversion on MNIST and Location-30: every attack of ours and ART's MIFace, on the same targets, one judge."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from art.attacks.inference.model_inversion import MIFace
from art.estimators.classification import PyTorchClassifier
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from benchmarks.subjects import data_folder
from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.inversion.base import inversions
from gambeson.attacks.privacy.inversion.harness import Plan, run_inversion
from gambeson.attacks.privacy.inversion.judge import Judge, train_judge
from gambeson.attacks.privacy.inversion.likeness import likeness
from gambeson.attacks.privacy.inversion.space import Space, space_of
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes
from gambeson.models.torch_training import train

CLIP, LOT, DELTA = 1.0, 256, 1e-5
HEAD = (
    "| target | attack | attacker sees | top-1 | n | likeness to class mean | queries each | CPU s a class |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass
class World:
    """A task: who holds which inputs, and the judge. The four parts share no row.

    Attributes:
        train: The targets'.
        public: The attacker's.
        held: Where targets and judge are measured.
        info: Of every target.
        space: Of the inputs.
        judge: Trained on a part of its own.
        wanted: Classes to reconstruct; ``each`` of them so often.
    """

    train: tuple[Tensor, Tensor]
    public: tuple[Tensor, Tensor]
    held: tuple[Tensor, Tensor]
    info: ModelInfo
    space: Space
    judge: Judge
    wanted: tuple[int, ...]
    each: int
    steps: int

    def accuracy(self, scores: Tensor) -> str:
        """On the held rows, with its interval."""
        right = scores.argmax(1) == self.held[1]
        return str(proportion("accuracy", int(right.sum()), len(right)))


@dataclass
class Module:
    """A network behind the seam."""

    network: nn.Module
    info: ModelInfo
    device: str = "cpu"

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.network(x)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Logits."""
        with torch.no_grad():
            return self.network(torch.from_numpy(x)).numpy()


def inversion_tables(*, quick: bool) -> list[str]:
    """Markdown, empty without the data folder."""
    folder = data_folder()
    found = []
    if (folder / "mnist.npz").exists():
        found.append(_mnist_table(folder / "mnist.npz", quick))
    if (folder / "location30.npz").exists():
        found.append(_location_table(folder / "location30.npz", quick))
    return found


def _mnist_table(path: Path, quick: bool) -> str:
    with np.load(path) as data:
        x = np.concatenate([data["x_train"], data["x_test"]])[:, None].astype(np.float32) / np.float32(255)
        y = np.concatenate([data["y_train"], data["y_test"]]).astype(np.int64)
    # Nothing was tuned on the target's or the judge's part, nor on the held rows.
    parts = [slice(20_000, 40_000), slice(40_000, 60_000), slice(60_000, 63_000), slice(65_000, 70_000)]
    (own, judging, public, held) = ((torch.from_numpy(x[p]), torch.from_numpy(y[p])) for p in parts)
    schema = Schema((1, 28, 28), tuple("0123456789"))
    space, each = space_of(schema, public[0]), 3 if quick else 10
    judge = train_judge(*judging, space, 10, updates=500 if quick else 3_000, seed=Seed(5).child("judge"))
    info = ModelInfo("target", "torch", (1, 28, 28), 10, "logits")
    world = World(own, public, held, info, space, judge, tuple(range(10)), each, 100)
    plain = train(_digit_network, _log_softmax, *own, seed=5, updates=1_500).eval().requires_grad_(False)
    targets = {f"MNIST network, accuracy {world.accuracy(plain(held[0]))}": plain}
    rows = [row for name, network in targets.items() for row in _ours(world, name, network)]
    rows += _art(world, "the same", plain)
    for noise in (1.0,) if quick else (1.0, 4.0):
        steps = 60 if quick else 400
        network = _private(own, noise, steps)
        epsilon = _epsilon(LOT / len(own[0]), noise, steps)
        name = f"DP-SGD, noise {noise:g}, epsilon {epsilon:.2f}, accuracy {world.accuracy(network(held[0]))}"
        rows += _ours(world, name, network)
    text = (
        f"## Model inversion on MNIST\n\nA small convolutional network trained on {len(own[0]):,} images. The judge is "
        f"another network, trained on {len(judging[0]):,} other images; its accuracy on {len(held[0]):,} more is "
        f"{world.accuracy(judge.scores(held[0]))}. The attacker holds {len(public[0]):,} further images without "
        f"labels, those of the wanted classes hidden. Top-1: the share of reconstructions that the judge takes for the "
        f"wanted class, with Wilson's interval. {_blind(world)} ART's MIFace (its defaults but for 2,000 iterations at "
        f"most) starts from a black, grey, white or random picture and needs no public images; DP-SGD clips each "
        f"image's gradient to {CLIP:g}, lots of {LOT}, delta {DELTA:g}, epsilon by Renyi accounting.\n"
    )
    return "\n".join([text, HEAD, *rows]) + "\n"


def _location_table(path: Path, quick: bool) -> str:
    with np.load(path) as data:
        x, y = data["x"].astype(np.float32), data["y"].astype(np.int64)
    order = np.random.default_rng(5).permutation(len(x))
    x, y = torch.from_numpy(x[order]), torch.from_numpy(y[order] - y.min())
    own, judging, public, held = (
        (x[a:b], y[a:b]) for a, b in ((0, 1_500), (1_500, 4_000), (4_000, 4_600), (4_600, len(x)))
    )
    features = tuple(Feature(f"place {i}", Kind.INTEGER, 0, 1) for i in range(x.shape[1]))
    schema = Schema((x.shape[1],), tuple(map(str, range(30))), features=features)
    space = space_of(schema, public[0])
    judge = train_judge(*judging, space, 30, updates=400 if quick else 1_000, seed=Seed(5).child("judge"))
    info = ModelInfo("target", "torch", (x.shape[1],), 30, "logits")
    world = World(own, public, held, info, space, judge, tuple(range(30)), 2 if quick else 5, 100)
    network = train(_place_network, _log_softmax, *own, seed=5, updates=2_400).eval().requires_grad_(False)
    name = f"Location-30 perceptron, accuracy {world.accuracy(network(held[0]))}"
    text = (
        f"## Model inversion on Location-30\n\nA perceptron 446-128-30 trained on {len(own[0]):,} records, an attacker "
        f"with {len(public[0])} others, a judge trained on {len(judging[0]):,} others. The task itself is hard: the "
        f"judge's accuracy on {len(held[0])} fresh records is {world.accuracy(judge.scores(held[0]))}, so its word is "
        f"weak. Reconstructions are whole records of 446 zeros and ones. {_blind(world)}\n"
    )
    return "\n".join([text, HEAD, *_ours(world, name, network)]) + "\n"


def _ours(world: World, name: str, network: nn.Module) -> list[str]:
    plan = Plan(world.wanted, world.each, *world.public, world.space, world.steps)
    rows = []
    for entry in sorted(inversions, key=lambda entry: -entry.facts.access.rank):
        begun = time.process_time()
        passes = Passes(Module(network, world.info))
        found = run_inversion(
            entry.plugin, entry.name, entry.facts, passes, plan, Run(Seed(5).child(entry.name))
        )
        taken = (time.process_time() - begun) / len(world.wanted)
        assert found is not None
        queries = f"{found.queries / len(found.x):,.0f}"
        rows.append(
            _row(world, (name, entry.name, str(entry.facts.access)), found.classes, found.x, queries, taken)
        )
        print(rows[-1], flush=True)
    return rows


def _art(world: World, name: str, network: nn.Module) -> list[str]:
    classifier = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), world.info.shape, 10, clip_values=(0.0, 1.0), device_type="cpu"
    )
    rng, rows = np.random.default_rng(5), []
    starts = {"black": np.zeros, "grey": lambda s: np.full(s, 0.5), "white": np.ones, "random": rng.random}
    for start, make in starts.items():
        each = 2 if start == "random" else 1
        y = np.repeat(np.arange(10), each)
        begun = time.process_time()
        attack = MIFace(classifier, max_iter=2_000, batch_size=len(y), verbose=False)
        x = attack.infer(make((len(y), *world.info.shape)).astype(np.float32), y)
        taken = (time.process_time() - begun) / 10
        found = torch.from_numpy(np.clip(x, 0, 1).astype(np.float32))
        labels = (name, f"ART MIFace, {start}", "gradient")
        rows.append(_row(world, labels, torch.from_numpy(y), found, "–", taken))
        print(rows[-1], flush=True)
    return rows


def _row(
    world: World, labels: tuple[str, str, str], wanted: Tensor, x: Tensor, queries: str, taken: float
) -> str:
    right = world.judge.scores(x).argmax(1) == wanted
    top = proportion("top1", int(right.sum()), len(right))
    means = torch.stack([world.train[0][world.train[1] == c].mean(0) for c in wanted])
    like = float(likeness(x, means, world.space).mean())
    assert top.interval is not None
    share = f"{top.value:.3f} [{top.interval.low:.3f}, {top.interval.high:.3f}]"
    return f"| {' | '.join(labels)} | {share} | {len(right)} | {like:.2f} | {queries} | {taken:.2f} |"


def _blind(world: World) -> str:
    """How often the judge takes one of the attacker's own inputs of other classes for the wanted one."""
    said, y = world.judge.scores(world.public[0]).argmax(1), world.public[1]
    plan = Plan(world.wanted, 1, *world.public, world.space, 0)
    pairs = [(said[~torch.isin(y, torch.tensor(g))] == c) for g in plan.groups() for c in g]
    share = proportion("without", int(sum(p.sum() for p in pairs)), sum(map(len, pairs)))
    return (
        f"Of the inputs that the attacker held anyway the judge takes {share.value:.2%} for the wanted class."
    )


def _log_softmax(raw: Tensor) -> Tensor:
    return raw.log_softmax(1)


def _digit_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 49, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def _place_network() -> nn.Module:
    return nn.Sequential(nn.Linear(446, 128), nn.Tanh(), nn.Linear(128, 30))


def _private(own: tuple[Tensor, Tensor], noise: float, steps: int) -> nn.Module:
    """DP-SGD (Abadi et al. 2016, algorithm 1) with Poisson sampling, and Adam on the noisy mean."""
    torch.manual_seed(5)
    network, generator = _digit_network(), torch.Generator().manual_seed(5)
    values = dict(network.named_parameters())

    def loss(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(functional_call(network, parameters, (x[None],)), y[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(steps):
        rows = (torch.rand(len(own[0]), generator=generator) < LOT / len(own[0])).nonzero().squeeze(1)
        found = each({name: p.detach() for name, p in values.items()}, own[0][rows], own[1][rows])
        size = torch.stack([g.flatten(1).norm(dim=1) for g in found.values()]).norm(dim=0)
        scale = (CLIP / size.clamp_min(1e-12)).clamp_max(1)
        for name, g in found.items():
            total = torch.einsum("n,n...->...", scale, g)
            drawn = noise * CLIP * torch.randn(total.shape, generator=generator)
            values[name].grad = (total + drawn) / LOT
        optimizer.step()
    return network.eval().requires_grad_(False)


def _epsilon(rate: float, noise: float, steps: int) -> float:
    """Of the Poisson-subsampled Gaussian (Mironov et al. 2019, arXiv:1908.10530, section 3.3), whole orders."""

    def renyi(order: int) -> float:
        terms = [
            math.lgamma(order + 1)
            - math.lgamma(k + 1)
            - math.lgamma(order - k + 1)
            + (order - k) * math.log1p(-rate)
            + k * math.log(rate)
            + k * (k - 1) / (2 * noise**2)
            for k in range(order + 1)
        ]
        most = max(terms)
        return (most + math.log(sum(math.exp(t - most) for t in terms))) / (order - 1)

    return min(steps * renyi(order) + math.log(1 / DELTA) / (order - 1) for order in range(2, 128))
