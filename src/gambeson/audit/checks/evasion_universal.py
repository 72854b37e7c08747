"""The universal perturbation check: does one perturbation fool the model on inputs that it was not made for?"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.shared import fit_shared
from gambeson.attacks.universal import Universal, random_signs
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_sets import (
    Answer,
    Asked,
    ask_clean,
    conclude,
    examples,
    halves,
    noise_of,
    run_of,
    target_of,
)
from gambeson.core.finding import Family, Finding
from gambeson.core.threat import Access


@checks.register(
    "evasion.universal",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="Does a single perturbation fool the model on inputs that it was not made for?",
        taxonomy=("atlas:AML.T0043.000", "atlas:AML.T0015", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
    ),
)
def evasion_universal(context: CheckContext) -> list[Finding]:
    """One perturbation for all inputs, fitted on one half of the samples and measured on the other.

    Fails when it leaves less than 80% of the clean accuracy (medium), less than half (high). Beside it stands
    what perturbations of the same size with random signs leave.

    Raises:
        InsufficientEvidence: Too few samples to divide.
        ModelError: The model answered with something unusable.
    """
    fit, held = halves(ask_clean(context), context.seed.child("halves"))
    space, epochs = PerturbationSet.of(context.threat, context.data.schema), context.effort.steps
    context.progress.start(context.check, len(fit.samples) * epochs)
    universal = Universal(fit.passes, fit.samples, space, context.seed.child("start"))
    run = run_of(context, "fit", "fitting one perturbation")
    fitted = fit_shared(universal, len(fit.samples), epochs, run)
    fooled, moved = _fooled(held, space, fitted.value)
    known, _ = _fooled(fit, space, fitted.value)
    cut = (f"fitting stopped after {fitted.epochs} of {epochs} epochs",) if fitted.epochs < epochs else ()
    target = target_of(context.threat)
    found = Answer(
        asked=held,
        fooled=fooled,
        noise=_noise(context, held, space, fitted.value),
        target=target,
        change=f"one perturbation for all inputs within {target}",
        baseline="a perturbation of the same size with random signs",
        method=f"universal({epochs} epochs on {len(fit.samples)} other samples)",
        remedy=_REMEDY,
        facts=(
            ("fitted on", f"{len(fit.samples)} samples that the figures leave out"),
            ("success rate on those", f"{(fit.right & known).sum()} of {fit.right.sum()}"),
            ("gradient queries spent in all", str(int(universal.oracle.queries.sum()))),
        ),
        examples=examples(context, held, fooled, moved),
        cut=cut,
    )
    return [conclude(context, found)]


def _fooled(asked: Asked, space: PerturbationSet, value: Tensor) -> tuple[np.ndarray, Tensor]:
    """Whom the perturbation fools, (n,) bool, and the inputs that it makes."""
    ball = space.around(asked.x)
    moved = ball.apply(value.expand_as(ball.x))
    return asked.wrong_inside(moved, ball), moved


def _noise(context: CheckContext, asked: Asked, space: PerturbationSet, value: Tensor) -> np.ndarray:
    """Whom random signs fool, (n,) bool; drawn anew for each sample."""
    ball = space.around(asked.x)
    return asked.wrong_inside(random_signs(ball, value, noise_of(context, asked)), ball)


_REMEDY = (
    "Train on adversarial examples (Madry et al. 2018); universal adversarial training (Shafahi et al. 2020) costs "
    "little more than ordinary training. One perturbation that many clients send can be recognised: compare inputs "
    "across clients."
)
