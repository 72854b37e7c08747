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
    """

    name: str
    norm: Norm
    peer: Callable[[Subject, Tensor, Tensor], Tensor]
    ours: tuple[str, dict[str, object]]
    radius: float = float("inf")


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
    """A Markdown table: each peer's attack, and ours with the peer's steps or mean queries."""
    count = 16 if quick else count
    part = subject.samples.select(torch.arange(min(count, len(subject.samples))))
    lines = [
        f"## Nearest adversarial inputs on {subject.name}",
        "",
        f"{len(part)} correctly classified samples. Gradient attacks: the same number of steps. Black-box attacks: "
        "ours gets as many queries per sample as the peer spent on average. Distances are medians over all samples, a "
        "miss counting as infinite; every result is checked on a fresh pass. Ours / peer: geometric mean, over the "
        "samples that both found, of the ratio of distances, with the 95% interval of the paired differences. CPU "
        "seconds of the process. To match: the least share of the peer's CPU time in which ours, given 1/16, 1/8, 1/4 "
        "or 1/2 of the peer's queries, finds no fewer samples at a median no larger.",
        "",
        "| attack | peer | distance: peer | Gambeson | found: peer | Gambeson | ours / peer | queries: peer | Gambeson "
        "| CPU s: peer | Gambeson | ratio | to match |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
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
        f"| {attack} {duel.norm} | {library} | {peer.median:.3g} | {ours.median:.3g} | {peer.found} | {ours.found} "
        f"| {_compared(ours.distance, peer.distance)} | {peer.queries:.0f} | {ours.queries:.0f} "
        f"| {peer.seconds:.2f} | {ours.seconds:.2f} | {ours.seconds / peer.seconds:.3f} "
        f"| {_to_match(duel, subject, peer)} |"
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
    return PerturbationSet.of(ThreatModel(duel.norm, 1e-3), subject.schema).with_eps(duel.radius)


def _compared(ours: np.ndarray, peer: np.ndarray) -> str:
    both = np.isfinite(ours) & np.isfinite(peer)
    if both.sum() < 3:
        return "-"
    log = np.log(ours[both] / peer[both])
    half = 1.96 * log.std(ddof=1) / len(log) ** 0.5
    middle, low, high = np.exp([log.mean(), log.mean() - half, log.mean() + half])
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def _to_match(duel: Duel, subject: Subject, peer: Result) -> str:
    if not _takes_queries(duel.ours[0]) or np.isfinite(duel.radius):
        return "-"
    for share in (1 / 16, 1 / 8, 1 / 4, 1 / 2):
        ours = _ours(duel, subject, share * peer.queries)
        if ours.found >= peer.found and ours.median <= peer.median:
            return f"{ours.seconds / peer.seconds:.3f}"
    return "more than half the queries"


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
    cw = ("carlini_wagner", {"steps": 50, "searches": 5, "balance": 0.01})
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
            _foolbox(lambda: fb.attacks.L2CarliniWagnerAttack(5, 50, initial_const=0.01)),
            cw,
        ),
        Duel(
            "ART Carlini-Wagner",
            l2,
            _art("CarliniL2Method", max_iter=50, binary_search_steps=5, batch_size=64, **quiet),
            cw,
        ),
    ]


def _with_scores(subject: Subject, walk: int) -> list[Duel]:
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    square = {"max_iter": walk // 2, "nb_restarts": 1, "batch_size": 64, **quiet}
    small = subject.radii[0]
    wide = small * subject.samples.x[0].numel() ** 0.5 / 5
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
        ),
    ]


def _with_labels(walk: int) -> list[Duel]:
    # ART's GeoDA does not run under NumPy 2 (np.mat); SurFree is in neither library.
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    hsj = {"max_iter": 10, "max_eval": walk // 2, "init_eval": 100, "init_size": 100, "batch_size": 64}
    return [
        Duel("ART HopSkipJump", l2, _art("HopSkipJump", norm=2, **hsj, **quiet), ("hopskipjump", {})),
        Duel("ART HopSkipJump", linf, _art("HopSkipJump", norm=np.inf, **hsj, **quiet), ("hopskipjump", {})),
        Duel(
            "foolbox HopSkipJump",
            l2,
            _foolbox(lambda: fb.attacks.HopSkipJumpAttack(steps=10, max_gradient_eval_steps=walk // 2)),
            ("hopskipjump", {}),
        ),
        Duel(
            "foolbox Boundary", l2, _foolbox(lambda: fb.attacks.BoundaryAttack(steps=walk)), ("boundary", {})
        ),
        Duel(
            "ART Boundary",
            l2,
            _art("BoundaryAttack", targeted=False, max_iter=walk // 20, batch_size=64, **quiet),
            ("boundary", {}),
        ),
    ]
