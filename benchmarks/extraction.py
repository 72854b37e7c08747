"""Extraction: linear models and trees computed, and an MNIST network copied by ours and by ART on the same inputs."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from art.attacks.extraction import CopycatCNN, KnockoffNets
from art.estimators.classification import PyTorchClassifier
from PIL import Image
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor, nn

from benchmarks.subjects import data_folder
from gambeson.attacks.extraction.base import Theft, extraction
from gambeson.attacks.extraction.equation_solving import solve
from gambeson.attacks.extraction.grid import Grid
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.tree_paths import find_paths
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.judge import verify
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.surrogate import Surrogate, default_network
from gambeson.attacks.transfer import craft_on
from gambeson.attacks.universal import random_signs
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.schema import Feature, Schema
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes
from gambeson.models.torch_training import BATCH, train

PICTURES = Schema((1, 28, 28), tuple("0123456789"))
UPDATES, EPS, ATTACKED = 500, 0.2, 500


def extraction_tables(*, quick: bool) -> list[str]:
    """Markdown tables; the copies are left out without the data folder."""
    found = [_linear_table(), _tree_table()]
    path = data_folder()
    if (path / "mnist.npz").exists():
        found += _copy_tables(path, (500,) if quick else (500, 2_000, 8_000))
    return found


def _linear_table() -> str:
    x, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(x / 16, y)
    weights, bias = (a - a.mean(0) for a in (model.coef_, model.intercept_))
    lines = [
        "## Extraction: a logistic regression from its answers",
        "",
        f"10 classes, 64 features, scikit-learn; weights up to {np.abs(weights).max():.1f}. Error: largest "
        "of any weight or bias, up to what softmax hides. Bound: none is larger, with probability 0.99, if roundings "
        "are independent; and in any case.",
        "",
        "| answers | queries | error | bound (99%) | bound (certain) | same class on digits |",
        "|---|---|---|---|---|---|",
    ]
    cases = [("float64", None, 10), ("float32", None, 10), *((f"{d} decimals", d, 10) for d in (4, 3, 2))]
    for name, decimals, shown in [*cases, ("float32, top 5", None, 5), ("3 decimals, top 5", 3, 5)]:
        answer = _endpoint(model, decimals, shown, np.float64 if name == "float64" else np.float32)
        most = None if shown == 10 else 60 * 65
        found = solve(
            answer, np.zeros(64, np.float32), np.ones(64, np.float32), probabilities=True, queries=most
        )
        error = max(np.abs(found.weights - weights).max(), np.abs(found.bias - bias).max())
        same = (found.logits(x / 16).argmax(1) == model.predict(x / 16)).mean()
        lines.append(
            f"| {name} | {found.queries} | {error:.1e} | {found.likely:.1e} | {found.certain:.1e} | {same:.4f} |"
        )
    return "\n".join(lines) + "\n"


def _endpoint(
    model: LogisticRegression, decimals: int | None, shown: int, kind: type
) -> Callable[[np.ndarray], np.ndarray]:
    """Log-probabilities as a client computes them from what an endpoint shows."""

    def answer(x: np.ndarray) -> np.ndarray:
        p = model.predict_proba(x.astype(np.float64))
        rank = np.argsort(np.argsort(-p, axis=1), axis=1)
        p = np.where(rank < shown, p if decimals is None else np.round(p, decimals), 0)
        return np.log(np.maximum(p.astype(kind), 1e-30)).astype(kind)

    return answer


def _tree_table() -> str:
    x, y = make_classification(
        6_000, 10, n_informative=8, n_redundant=0, n_classes=3, flip_y=0.1, random_state=0
    )
    x = x.astype(np.float32)
    features = tuple(Feature(f"x{i}", low=float(c.min()), high=float(c.max())) for i, c in enumerate(x.T))
    grid = Grid.of(Schema((10,), tuple("abc"), features=features))
    tree = DecisionTreeClassifier(max_depth=8, random_state=0).fit(x, y)
    rng = np.random.default_rng(0)
    anywhere = grid.inputs(grid.between(grid.low, grid.high, rng.random((20_000, 10))))
    lines = [
        "## Extraction: a decision tree of depth 8 by path finding",
        "",
        f"scikit-learn's, {tree.get_n_leaves()} leaves, 10 numeric features. *Leaf*: every leaf answers differently. "
        "*Scores*: probabilities, the same in some leaves. Same answer: on 20,000 inputs drawn anywhere, on 6,000 of "
        "the training data.",
        "",
        "| answers | queries | boxes | all faces looked behind | same answer anywhere | on data |",
        "|---|---|---|---|---|---|",
    ]
    answers: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
        "leaf": (lambda z: tree.apply(z)[:, None], 4),
        "scores": (lambda z: tree.predict_proba(z).astype(np.float32), 32),
        "labels": (lambda z: tree.predict(z)[:, None], 64),
    }
    for name, (answer, checks) in answers.items():
        found = find_paths(answer, grid, x[:500], checks=checks, seed=Seed(0))
        same = [_same(found.answers, found.find(z), answer(z)) for z in (anywhere, x)]
        done = "yes" if found.complete else "no"
        lines.append(
            f"| {name} | {found.queries} | {len(found.answers)} | {done} | {same[0]:.5f} | {same[1]:.5f} |"
        )
    return "\n".join(lines) + "\n"


def _same(answers: np.ndarray, boxes: np.ndarray, truth: np.ndarray) -> float:
    return float(((boxes >= 0) & (answers[boxes] == truth).all(1)).mean())


@dataclass(frozen=True)
class World:
    """A victim, inputs on which copies are compared with it, and what a thief holds.

    Attributes:
        said: Classes that the victim gives the compared inputs.
        pools: Inputs and the thief's own labels, by name.
    """

    victim: Surrogate
    x: Tensor
    y: Tensor
    said: Tensor
    pools: dict[str, tuple[Tensor, Tensor]]


def _world(path: Path) -> World:
    with np.load(path / "mnist.npz") as data:
        x, held = (torch.from_numpy(data[name]).float().div(255)[:, None] for name in ("x_train", "x_test"))
        y, truth = (torch.from_numpy(data[name]).long() for name in ("y_train", "y_test"))
    module = train(_victim, lambda raw: raw.log_softmax(1), x[:20_000], y[:20_000], seed=0, updates=1_252)
    victim = Surrogate(
        module.eval().requires_grad_(False), ModelInfo("victim", "torch", (1, 28, 28), 10, "logits")
    )
    pools = {"digits": (x[20_000:32_000], y[20_000:32_000])}
    if (path / "cifar10_test_jpeg.npz").exists():
        pools["CIFAR-10, grey"] = _grey(path / "cifar10_test_jpeg.npz")
    # On the first half of the test images the recipe was tuned.
    said = Passes(victim).scores(held[5_000:]).argmax(1)
    return World(victim, held[5_000:], truth[5_000:], said, pools)


def _victim() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def _grey(path: Path) -> tuple[Tensor, Tensor]:
    with np.load(path) as data:
        raw, ends, labels = data["bytes"], data["offsets"], data["labels"]
    pictures = [
        np.asarray(Image.open(io.BytesIO(raw[a:b].tobytes())).convert("L").resize((28, 28)))
        for a, b in itertools.pairwise(ends)
    ]
    return torch.from_numpy(np.stack(pictures)).float().div(255)[:, None], torch.from_numpy(labels).long()


def _copy_tables(path: Path, budgets: tuple[int, ...]) -> list[str]:
    world = _world(path)
    right = float((world.said == world.y).float().mean())
    lines = [
        "## Extraction: copies of an MNIST network",
        "",
        f"CNN trained on 20,000 digits, accuracy {right:.3f}. Fidelity: share of {len(world.x)} test digits to which a "
        "copy gives the victim's answer, Wilson's interval. All train our default network, not the victim's "
        f"architecture, for {UPDATES} updates of {BATCH} rows in the last training, on answers to inputs from the same "
        "pool: 12,000 other digits, or 10,000 CIFAR-10 pictures in grey. ART has Adam with 1e-3.",
        "",
        "| pool | access | queries | ours: knockoff | ours: active | ART KnockoffNets | ART CopycatCNN |",
        "|---|---|---|---|---|---|---|",
    ]
    copies: dict[tuple[str, str, int], Surrogate] = {}
    spent: dict[str, list[float]] = {}
    for pool, access, queries in _cells(world, budgets):
        row = [f"{pool} | {access} | {queries:,}"]
        for name, make in _thieves(world, pool, access, queries).items():
            begun = time.process_time()
            copy = make()
            spent.setdefault(name, []).append(time.process_time() - begun)
            said = Passes(copy).scores(world.x).argmax(1)
            row.append(_figure(int((said == world.said).sum()), len(said)))
            if name == "active":
                copies[pool, access, queries] = copy
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    seconds = ", ".join(f"{name} {np.mean(taken):.1f}" for name, taken in spent.items())
    lines += ["", f"CPU seconds for a copy: {seconds}."]
    return ["\n".join(lines) + "\n", _transfer_table(world, copies)]


def _cells(world: World, budgets: tuple[int, ...]) -> Iterator[tuple[str, str, int]]:
    for pool in world.pools:
        for access in ("scores", "labels"):
            for queries in budgets:
                yield pool, access, queries


def _thieves(world: World, pool: str, access: str, queries: int) -> dict[str, Callable[[], Surrogate]]:
    x, y = world.pools[pool]

    def ours(name: str) -> Surrogate:
        purse = Purse(Passes(world.victim), Access.parse(access), budget=queries)
        theft = Theft(x, y, PICTURES, 10, "network", UPDATES, Seed(0))
        return extraction[name].plugin().extract(purse, theft)  # type: ignore[return-value]

    def art(attack: type) -> Surrogate:
        np.random.seed(0)
        torch.manual_seed(0)
        epochs = -(-UPDATES // -(-queries // BATCH))
        settings = {
            "batch_size_fit": BATCH,
            "batch_size_query": 256,
            "nb_epochs": epochs,
            "nb_stolen": queries,
        }
        thief = attack(
            _classifier(nn.Sequential(world.victim.module, nn.Softmax(1))),
            use_probability=access == "scores",
            **settings,
        )
        network = default_network(PICTURES, 10)
        thief.extract(x.numpy(), thieved_classifier=_classifier(network))
        return Surrogate(
            network.eval().requires_grad_(False), ModelInfo("art", "torch", (1, 28, 28), 10, "logits")
        )

    return {
        "knockoff": lambda: ours("knockoff"),
        "active": lambda: ours("active"),
        "ART KnockoffNets": lambda: art(KnockoffNets),
        "ART CopycatCNN": lambda: art(CopycatCNN),
    }


def _classifier(module: nn.Module) -> PyTorchClassifier:
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    return PyTorchClassifier(
        module, nn.CrossEntropyLoss(), (1, 28, 28), 10, optimizer=optimizer, device_type="cpu"
    )


def _figure(successes: int, n: int) -> str:
    figure = proportion("share", successes, n)
    assert figure.interval is not None
    return f"{figure.value:.3f} [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"


def _transfer_table(world: World, copies: dict[tuple[str, str, int], Surrogate]) -> str:
    lines = [
        "## Extraction: adversarial examples made on the copies",
        "",
        f"Momentum PGD with 20 steps on the copy, linf {EPS}, on {ATTACKED} test digits that the victim gets right: "
        "share that it then gets wrong. Random: the same perturbations with random signs.",
        "",
        "| pool | access | queries | fooled | random |",
        "|---|---|---|---|---|",
    ]
    rows = (world.said == world.y).nonzero()[:ATTACKED, 0]
    samples = Samples(world.x[rows], world.y[rows], rows.numpy())
    space, victim = PerturbationSet.of(ThreatModel(Norm.LINF, EPS), PICTURES), Passes(world.victim)
    ball = space.around(samples.x)
    for (pool, access, queries), copy in copies.items():
        delta = craft_on(Passes(copy), samples, space, 20, Run(Seed(0)))
        noise = random_signs(ball, delta, SampleRandom(torch.from_numpy(Seed(0).keys(samples.index))))
        fooled, random = (int(verify(victim, x, samples.y, ball).sum()) for x in (ball.apply(delta), noise))
        n = len(samples)
        lines.append(f"| {pool} | {access} | {queries:,} | {_figure(fooled, n)} | {_figure(random, n)} |")
    return "\n".join(lines) + "\n"
