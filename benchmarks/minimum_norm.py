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
    x, y = subject.samples.x[:count], subject.samples.y[:count]
    lines = [
        f"## Nearest adversarial inputs on {subject.name}",
        "",
        f"{len(x)} correctly classified samples. Gradient attacks: the same number of steps. Black-box attacks: ours "
        "gets as many queries per sample as the peer spent on average. Distances are medians over all samples, a "
        "miss counting as infinite; every result is checked on a fresh pass. CPU seconds of the process.",
        "",
        "| attack | peer | distance: peer | Gambeson | found: peer | Gambeson | queries: peer | Gambeson "
        "| CPU s: peer | Gambeson | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for duel in _duels(quick):
        lines.append(_row(duel, subject, x, y))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def _row(duel: Duel, subject: Subject, x: Tensor, y: Tensor) -> str:
    torch.manual_seed(0)
    np.random.seed(0)
    counted = Counted(subject.module)
    watched = replace(subject, module=counted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.process_time()
        theirs = duel.peer(watched, x, y).detach().float()
        peer_seconds = time.process_time() - begun
    queries = counted.rows / len(x)
    space = PerturbationSet.of(ThreatModel(duel.norm, 1.0), subject.schema).with_eps(duel.radius)
    name, parameters = duel.ours
    item = stage(name, **parameters, **({"queries": round(queries)} if _takes_queries(name) else {}))
    begun = time.process_time()
    found = run_attack(
        item.attack,
        item.facts,
        Passes(subject.model),
        subject.samples.select(torch.arange(len(x))),
        space,
        run=Run(Seed(0)),
    )
    seconds = time.process_time() - begun
    everywhere = space.with_eps(float("inf")).around(x)
    wrong = Passes(subject.model).scores(theirs).argmax(1) != y
    peer_distance = torch.where(wrong, everywhere.size(theirs), torch.inf).numpy()
    peer_distance = np.where(peer_distance <= duel.radius, peer_distance, np.inf)
    library, _, attack = duel.name.partition(" ")
    return (
        f"| {attack} {duel.norm} | {library} | {np.median(peer_distance):.3g} | {np.median(found.distance):.3g} "
        f"| {np.isfinite(peer_distance).sum()} | {int(found.fallen.sum())} "
        f"| {queries:.0f} | {found.queries.mean():.0f} | {peer_seconds:.2f} | {seconds:.2f} "
        f"| {seconds / peer_seconds:.3f} |"
    )


def _takes_queries(name: str) -> bool:
    return name in ("hopskipjump", "boundary", "rays", "zoo", "nes")


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


def _duels(quick: bool) -> list[Duel]:
    return [*_with_gradients(), *_without_gradients(200 if quick else 2_000)]


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


def _without_gradients(walk: int) -> list[Duel]:
    l2, linf = Norm.L2, Norm.LINF
    quiet = {"verbose": False}
    hsj = {"max_iter": 10, "max_eval": 1_000, "init_eval": 100, "init_size": 100, "batch_size": 64}
    return [
        Duel("ART HopSkipJump", l2, _art("HopSkipJump", norm=2, **hsj, **quiet), ("hopskipjump", {})),
        Duel("ART HopSkipJump", linf, _art("HopSkipJump", norm=np.inf, **hsj, **quiet), ("hopskipjump", {})),
        Duel(
            "foolbox HopSkipJump",
            l2,
            _foolbox(lambda: fb.attacks.HopSkipJumpAttack(steps=10, max_gradient_eval_steps=1_000)),
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
                learning_rate=0.01,
                variable_h=0.01,
                **quiet,
            ),
            ("zoo", {}),
        ),
    ]
