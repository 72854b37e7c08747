"""Ensembles with a name: the published AutoAttack, and Gambeson's own ``strongest``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gambeson.attacks.ensemble import Stage, stage
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm

_TARGETS = 9


def autoattack(norm: Norm, classes: int) -> list[Stage]:
    """The standard version of AutoAttack.

    APGD on cross-entropy (100 steps), targeted APGD and targeted FAB (9 targets, 100 steps each), Square
    (5,000 queries), each on what the ones before it left.

    Args:
        norm: linf or l2.
        classes: Number of classes of the model.

    Raises:
        Unavailable: The norm is another, or there are fewer than four classes, for which the targeted DLR loss
            is not defined.

    Source: Croce & Hein 2020, arXiv:2003.01690, section 5.
    """
    if norm not in (Norm.LINF, Norm.L2):
        raise Unavailable(f"AutoAttack is not defined here under {norm}.", expected="linf or l2")
    if classes < 4:
        raise Unavailable(
            f"AutoAttack's targeted DLR loss needs at least 4 classes; the model has {classes}.",
            remedy="use strongest, which falls back on the margin",
        )
    targets = min(_TARGETS, classes - 1)
    return [
        stage("apgd", "apgd-ce(100)", steps=100),
        stage("apgd", f"apgd-t(100, {targets} targets)", steps=100, loss="targeted_dlr", targets=targets),
        stage("fab", f"fab-t(100, {targets} targets)", steps=100, targets=targets),
        stage("square", "square(5000)", queries=5_000, rescale=False),
    ]


def strongest(norm: Norm, classes: int) -> list[Stage]:
    """Gambeson's own ensemble: cheapest first, each stage on what stands, and no further where there is no hope.

    Ten steps of APGD on cross-entropy from the sample itself; a run on the probability margin, then runs
    towards the classes that came closest; more of them, from new starts, on the samples whose margin has shrunk
    most.

    Args:
        norm: Any.
        classes: Number of classes of the model.
    """
    if norm not in (Norm.LINF, Norm.L2):
        return [
            stage("pgd", "pgd(10)", steps=10),
            stage("pgd", "pgd(100, 5 restarts)", steps=100, restarts=5),
            stage("fmn", "fmn(300)", steps=300),
        ]
    few, all_ = min(3, classes - 1), min(_TARGETS, classes - 1)
    return [
        stage("apgd", "apgd-ce(10)", steps=10, random_start=False),
        stage("apgd", f"apgd-closest(20, {few} targets)", steps=20, loss="closest", targets=few),
        stage(
            "apgd", f"apgd-closest(30, {all_} targets)", steps=30, loss="closest", targets=all_, give_up=0.3
        ),
    ]


PROTOCOLS: Mapping[str, Callable[[Norm, int], list[Stage]]] = {
    "autoattack": autoattack,
    "strongest": strongest,
}
