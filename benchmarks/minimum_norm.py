"""Minimum-norm and black-box attacks: distance, success and CPU time beside ART's and foolbox's."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import art.attacks.evasion as art
import foolbox as fb
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.strength import art_classifier
from benchmarks.subjects import Subject
from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes

_SEEN = 128
"""Samples on which shares were chosen; reported are those after them."""


@dataclass(frozen=True)
class Duel:
    """A peer's attack and ours in the same norm.

    Attributes:
        name: What is compared.
        norm: Norm of the distance.
        peer: Maps (subject, x, y) to adversarial inputs.
        ours: Name and parameters of our attack; the peer's mean queries per sample are given as ``queries``
            to an attack that has such a parameter.
        radius: Ball in which ours runs; infinite for a minimum-norm attack.
        share: Share of the peer's queries with which ours runs a second time.
    """

    name: str
    norm: Norm
    peer: Callable[[Subject, Tensor, Tensor], Tensor]
    ours: tuple[str, dict[str, object]]
    radius: float = float("inf")
    share: float | None = None


class Counted(nn.Module):
    """Counts the rows that a module is shown."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.rows = module, 0

    def forward(self, x: Tensor) -> Tensor:
        """The module's answer, counted."""
        self.rows += len(x)
        return self.module(x.float())  # ART asks in float64


def minimum_norm_table(subject: Subject, count: int = 64, *, quick: bool = False) -> str:
    """A Markdown table: each peer's attack, and ours with the peer's steps or mean queries.

    Nothing was ever chosen by the samples that are reported: shares and defaults were looked for on the first 128.
    """
    count = 16 if quick else count
    first = max(min(_SEEN, len(subject.samples) - count), 0)
    part = subject.samples.select(torch.arange(first, min(first + count, len(subject.samples))))
    lines = [
        f"## Nearest adversarial inputs on {subject.name}",
        "",
        f"{len(part)} correctly classified samples, from number {first} on; what follows was chosen on those before "
        "them. Gradient attacks: the same number of steps. Black-box attacks: ours gets as many queries per sample as "
        "the peer spent on average, an upper limit; where a share is named, a second run gets only that share of "
        "them, fixed beforehand for all networks. Distances are medians over all samples, a miss counting as "
        "infinite; every result is checked on a fresh pass. Found: of Square and SimBA, within their radius. "
        "Ours / peer: geometric mean, over the samples that both found, of the ratio of distances, with the 95% "
        "interval of the paired differences. CPU seconds of the process. Where foolbox's Carlini-Wagner finds nothing "
        "it returns a black image; where the network takes that for another class, it counts as found.",
        "",
        "| attack | peer | distance: peer | Gambeson | found: peer | Gambeson | ours / peer | queries: peer | Gambeson "
        "| CPU s: peer | Gambeson | ratio | share | distance | found | ours / peer | CPU ratio |",
        "|" + "---|" * 17,
    ]
    for duel in _duels(subject, quick):
        lines.append(_row(duel, replace(subject, samples=part)))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Result:
    """Distances (n,), infinite where nothing was found; mean queries per sample; CPU seconds."""

    distance: np.ndarray
    queries: float
    seconds: float

    @property
    def median(self) -> float:
        """Over all samples."""
        return float(np.median(self.distance))

    @property
    def found(self) -> int:
        """Samples with an adversarial input."""
        return int(np.isfinite(self.distance).sum())


def _row(duel: Duel, subject: Subject) -> str:
    peer = _theirs(duel, subject)
    ours = _ours(duel, subject, peer.queries)
    library, _, attack = duel.name.partition(" ")
    return (
        f"| {attack} {duel.norm} | {library} | {peer.median:.4g} | {ours.median:.4g} | {peer.found} | {ours.found} "
        f"| {_compared(ours.distance, peer.distance)} | {peer.queries:.0f} | {ours.queries:.0f} "
        f"| {peer.seconds:.2f} | {ours.seconds:.2f} | {ours.seconds / peer.seconds:.3f} "
        f"| {_at_share(duel, subject, peer)} |"
    )


def _theirs(duel: Duel, subject: Subject) -> Result:
    torch.manual_seed(0)
    np.random.seed(0)
    x, y = subject.samples.x, subject.samples.y
    counted = Counted(subject.module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.process_time()
        theirs = duel.peer(replace(subject, module=counted), x, y).detach().float()
        seconds = time.process_time() - begun
    wrong = Passes(subject.model).scores(theirs).argmax(1) != y
    size = _space(duel, subject).with_eps(float("inf")).around(x).size(theirs)
    distance = torch.where(wrong & (size <= duel.radius * (1 + 1e-5)), size, torch.inf)
    return Result(distance.numpy(), counted.rows / len(x), seconds)


def _ours(duel: Duel, subject: Subject, queries: float) -> Result:
    name, parameters = duel.ours
    if _takes_queries(name):
        parameters = {**parameters, "queries": max(round(queries), 2)}
    item = stage(name, **parameters)
    begun = time.process_time()
    found = run_attack(
        item.attack,
        item.facts,
        Passes(subject.model),
        subject.samples,
        _space(duel, subject),
        run=Run(Seed(0)),
    )
    return Result(found.distance, float(found.queries.mean()), time.process_time() - begun)


def _space(duel: Duel, subject: Subject) -> PerturbationSet:
    return PerturbationSet.of(ThreatModel(duel.norm, 1.0), subject.schema).with_eps(duel.radius)


def _compared(ours: np.ndarray, peer: np.ndarray) -> str:
    both = np.isfinite(ours) & np.isfinite(peer)
    if both.sum() < 3:
        return "-"
    log = np.log(ours[both] / peer[both])
    half = 1.96 * log.std(ddof=1) / len(log) ** 0.5
    middle, low, high = np.exp([log.mean(), log.mean() - half, log.mean() + half])
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def _at_share(duel: Duel, subject: Subject, peer: Result) -> str:
    if duel.share is None:
        return " | ".join("–" * 5)
    ours = _ours(duel, subject, duel.share * peer.queries)
    return (
        f"1/{1 / duel.share:.0f} | {ours.median:.4g} | {ours.found} | {_compared(ours.distance, peer.distance)} "
        f"| {ours.seconds / peer.seconds:.3f}"
    )


def _takes_queries(name: str) -> bool:
    return name in ("hopskipjump", "boundary", "zoo", "square")


def _foolbox(attack: Callable[[], object]) -> Callable[[Subject, Tensor, Tensor], Tensor]:
    def run(subject: Subject, x: Tensor, y: Tensor) -> Tensor:
        model = fb.PyTorchModel(subject.module.eval(), bounds=(0, 1), device="cpu")
        _, clipped, _ = attack()(model, x, y, epsilons=None)
        return clipped

    return run


def _art(
    attack: str, *, probabilities: bool = False, **parameters: object
) -> Callable[[Subject, Tensor, Tensor], Tensor]:
    def run(subject: Subject, x: Tensor, y: Tensor) -> Tensor:
        if probabilities:
            subject = replace(subject, module=nn.Sequential(subject.module, nn.Softmax(1)))
        made = getattr(art, attack)(art_classifier(subject), **parameters)
        return torch.from_numpy(made.generate(x.numpy(), np.eye(10, dtype=np.float32)[y.numpy()]))

    return run


def _duels(subject: Subject, quick: bool) -> list[Duel]:
    walk = 200 if quick else 2_000
    return [*_with_gradients(), *_with_scores(subject, walk), *_with_labels(walk)]


def _with_gradients() -> list[Duel]:
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    cw = ("carlini_wagner", {"steps": 50, "searches": 2, "balance": 1.0, "learning_rate": 0.1})
    return [
        Duel(
            "foolbox DeepFool", l2, _foolbox(lambda: fb.attacks.L2DeepFoolAttack(steps=50)), ("deepfool", {})
        ),
        Duel(
            "ART DeepFool",
            l2,
            _art("DeepFool", max_iter=50, nb_grads=10, batch_size=64, **quiet),
            ("deepfool", {}),
        ),
        Duel("foolbox DDN", l2, _foolbox(lambda: fb.attacks.DDNAttack(steps=100)), ("ddn", {})),
        Duel("foolbox FMN", l2, _foolbox(lambda: fb.attacks.L2FMNAttack(steps=100)), ("fmn", {})),
        Duel("foolbox FMN", linf, _foolbox(lambda: fb.attacks.LInfFMNAttack(steps=100)), ("fmn", {})),
        Duel("foolbox FMN", Norm.L1, _foolbox(lambda: fb.attacks.L1FMNAttack(steps=100)), ("fmn", {})),
        Duel("foolbox FMN", Norm.L0, _foolbox(lambda: fb.attacks.L0FMNAttack(steps=100)), ("fmn", {})),
        Duel(
            "foolbox Carlini-Wagner",
            l2,
            _foolbox(lambda: fb.attacks.L2CarliniWagnerAttack(2, 50, stepsize=0.1, initial_const=1.0)),
            cw,
        ),
        Duel(
            "ART Carlini-Wagner",
            l2,
            _art(
                "CarliniL2Method",
                max_iter=50,
                binary_search_steps=2,
                learning_rate=0.1,
                initial_const=1.0,
                batch_size=64,
                **quiet,
            ),
            cw,
        ),
    ]


def _with_scores(subject: Subject, walk: int) -> list[Duel]:
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    square = {"max_iter": walk // 8, "nb_restarts": 1, "batch_size": 64, **quiet}
    small = subject.radii[0]
    wide = min(small * subject.samples.x[0].numel() ** 0.5, 2.0)
    return [
        Duel(
            "ART Square",
            linf,
            _art("SquareAttack", norm=np.inf, eps=small, p_init=0.8, **square),
            ("square", {}),
            radius=small,
        ),
        Duel(
            "ART Square",
            l2,
            _art("SquareAttack", norm=2, eps=wide, p_init=0.8, **square),
            ("square", {}),
            radius=wide,
        ),
        Duel(
            "ART SimBA",
            l2,
            _art("SimBA", probabilities=True, max_iter=walk // 4, epsilon=0.2, batch_size=1, **quiet),
            ("simba", {"steps": walk // 4, "step_size": 0.2}),
            radius=100.0,
        ),
        Duel(
            "ART ZOO",
            l2,
            _art(
                "ZooAttack",
                max_iter=walk // 100,
                nb_parallel=64,
                batch_size=1,
                use_resize=False,
                use_importance=False,
                abort_early=False,
                initial_const=10.0,
                learning_rate=0.1,
                variable_h=0.01,
                **quiet,
            ),
            ("zoo", {}),
            share=1 / 3,
        ),
    ]


def _with_labels(walk: int) -> list[Duel]:
    # ART's GeoDA does not run under NumPy 2 (np.mat); SurFree is in neither library.
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    hsj = {"max_iter": 10, "max_eval": walk // 4, "init_eval": 100, "init_size": 100, "batch_size": 64}
    return [
        Duel(
            "ART HopSkipJump",
            l2,
            _art("HopSkipJump", norm=2, **hsj, **quiet),
            ("hopskipjump", {}),
            share=1 / 2,
        ),
        Duel(
            "ART HopSkipJump",
            linf,
            _art("HopSkipJump", norm=np.inf, **hsj, **quiet),
            ("hopskipjump", {}),
            share=1 / 2,
        ),
        Duel(
            "foolbox HopSkipJump",
            l2,
            _foolbox(lambda: fb.attacks.HopSkipJumpAttack(steps=5, max_gradient_eval_steps=walk // 4)),
            ("hopskipjump", {}),
            share=1 / 2,
        ),
        Duel(
            "foolbox Boundary",
            l2,
            _foolbox(lambda: fb.attacks.BoundaryAttack(steps=walk // 2)),
            ("boundary", {}),
            share=1 / 8,
        ),
        Duel(
            "ART Boundary",
            l2,
            _art("BoundaryAttack", targeted=False, max_iter=walk // 20, batch_size=64, **quiet),
            ("boundary", {}),
            share=1 / 8,
        ),
    ]
