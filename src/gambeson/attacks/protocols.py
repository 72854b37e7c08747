"""Ensembles with a name: the published AutoAttack, and Gambeson's own ``strongest``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gambeson.attacks.ensemble import Stage, stage
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm

AUTOATTACK_NORMS = (Norm.LINF, Norm.L2)
_TARGETS = 9
_NEARLY, _CLOSE, _CLOSER, _CLOSEST = 0.22, 0.2, 0.1, 0.05
"""Shares of its clean margin below which a sample is worth a look, restarts, many at once, runs at every class."""
_PROBE = 200
"""Queries of the look for masked gradients."""
MASKING_PROBE = f"square({_PROBE}, probe)"
"""Label of that look among an ensemble's stages."""
_WAVES = ("square(5000)", "square(5000, wider)", "square(5000, widest)")
_REACH = 1.5
"""How much further out each wave of random search goes than the last one got."""


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
    if norm not in AUTOATTACK_NORMS:
        raise Unavailable(f"AutoAttack is not defined here under {norm}.", expected="linf or l2")
    if classes < 4:
        raise Unavailable(
            f"AutoAttack's targeted DLR loss needs at least 4 classes; the model has {classes}.",
            remedy="use strongest, which falls back on the margin",
        )
    targets = min(_TARGETS, classes - 1)
    return [
        _run(100),
        stage("apgd", f"apgd-t(100, {targets} targets)", steps=100, loss="targeted_dlr", targets=targets),
        stage("fab", f"fab-t(100, {targets} targets)", steps=100, targets=targets),
        stage("square", "square(5000)", queries=5_000, rescale=False),
    ]


def strongest(norm: Norm, classes: int) -> list[Stage]:
    """Gambeson's own ensemble: cheapest first, each stage on what stands, and no further where there is no hope.

    Four steps of APGD on cross-entropy from the sample itself, then restarts from diverse outputs on the samples with
    little of their margin left, more of them on those with least: the bound is near its end early. A rough run on all
    that stand finds out who else is close; these get long restarts until several in a row gain nothing, and the
    closest a run towards each class. A short Square on the closest and on those furthest from falling tells whether
    gradients can be believed; if it breaks some, a long one follows on all that are about as close, and further out
    for as long as more fall.

    Args:
        norm: Any.
        classes: Number of classes of the model.
    """
    if norm is Norm.L0:
        return [
            stage("pgd", "pgd(20)", steps=20),
            stage("sigma_zero", "sigma-zero(300)", steps=300),
            stage("fmn", "fmn(300)", steps=300),
        ]
    # Under l1 a step moves few features, so that every run takes longer, and a short look tells nothing.
    slow = norm is Norm.L1
    first, short, long = (20, 50, 100) if slow else (4, 20, 50)
    every = min(_TARGETS, classes - 1)
    look = _run(10, loss="probability_margin")
    if slow:
        look = _run(short, loss="closest", targets=min(2, classes - 1), give_up=0.7)
    return [
        _run(first, random_start=False),
        replace(_run(short, loss="margin", diverse=2, restarts=2), close=_NEARLY, least=8),
        replace(_run(short, loss="margin", diverse=2, restarts=12, patience=6), close=_CLOSER, least=0),
        replace(look, rough=True),
        replace(_run(long, loss="margin", diverse=2, restarts=20, patience=8), close=_CLOSE, least=8),
        replace(_run(long, loss="closest", targets=every), close=_CLOSEST, least=0),
        *_masking(),
    ]


def _run(steps: int, *, loss: str = "ce", **parameters: object) -> Stage:
    """Auto-PGD with a label that tells what was asked of it."""
    numbers = [f"{parameters[name]} {name}" for name in ("restarts", "targets") if name in parameters]
    label = f"apgd-{loss}({', '.join([str(steps), *numbers])})"
    return stage("apgd", label, steps=steps, loss=loss, **parameters)


def first_half(norm: Norm, classes: int) -> list[Stage]:
    """The stages of ``strongest`` up to its look at every sample: a good attack at a third of the cost."""
    return strongest(norm, classes)[:4]


def _masking() -> list[Stage]:
    """Where random search breaks samples that gradients left standing, gradients lie: search at random, too.

    First those about as near as the ones that the look broke, then further out for as long as more fall.
    """
    look = replace(stage("square", MASKING_PROBE, queries=_PROBE), probe=32)
    waves, before = [look], MASKING_PROBE
    for label in _WAVES:
        waves.append(replace(stage("square", label, queries=5_000), after=before, reach=_REACH))
        before = label
    return waves


PROTOCOLS: Mapping[str, Callable[[Norm, int], list[Stage]]] = {
    "autoattack": autoattack,
    "strongest": strongest,
}
