"""The adversarial patch check: does a small square fool the model wherever it lies in the picture?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.pictures.patch import SCALES, Patch, Places, draw_places, only_patched, paste, side_of
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.shared import fit_shared
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_sets import (
    Answer,
    Asked,
    ask_clean,
    conclude,
    examples,
    halves,
    noise_of,
    require_pictures,
    run_of,
)
from gambeson.core.finding import Family, Finding
from gambeson.core.threat import Access

SHARE = 0.05
"""Of the picture's area, on average."""


@checks.register(
    "evasion.patch",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="Does a small printed square fool the model wherever it lies in the picture?",
        taxonomy=(
            "atlas:AML.T0043.000",
            "atlas:AML.T0041",
            "atlas:AML.T0015",
            "nist:NISTAML.022",
            "owasp-ml:ML01:2023",
        ),
        per_threat=False,
    ),
)
def evasion_patch(context: CheckContext) -> list[Finding]:
    """An adversarial patch over 5% of the picture, fitted on one half of the samples, measured on the other.

    Each picture gets it at one random place, 0.8 to 1.2 times as large. Fails when it leaves less than 80% of the
    clean accuracy (medium), less than half (high). Beside it stands what a patch of random values leaves at the
    same places, and in the facts what a grey one leaves: hiding a part of the picture costs accuracy by itself.

    Raises:
        Unavailable: The data are no pictures.
        InsufficientEvidence: Too few samples to divide.
        ModelError: The model answered with something unusable.
    """
    channels, height, width = require_pictures(context, "Patches are defined")
    fit, held = halves(ask_clean(context), context.seed.child("halves"))
    schema, epochs = context.data.schema, context.effort.steps
    context.progress.start(context.check, len(fit.samples) * epochs)
    patch = Patch(fit.passes, fit.samples, SHARE, schema.low, schema.high, context.seed.child("patch"))
    fitted = fit_shared(patch, len(fit.samples), epochs, run_of(context, "fit", "fitting one patch"))
    world = _Pasting(context, held)
    fooled = world.fooled(fitted.value)
    grey = torch.full((1, channels, 1, 1), (schema.low + schema.high) / 2, device=fitted.value.device)
    side = side_of(SHARE, height, width)
    sides = _sides(side, min(height, width))
    cut = (f"fitting stopped after {fitted.epochs} of {epochs} epochs",) if fitted.epochs < epochs else ()
    found = Answer(
        asked=held,
        fooled=fooled,
        noise=world.fooled(world.random(channels, side)),
        target=f"patch of {SHARE:.0%} of the area",
        change=f"one patch at random places, {SHARE:.0%} of the area",
        baseline="a patch of random values",
        method=f"patch({epochs} epochs on {len(fit.samples)} other samples)",
        remedy=_REMEDY,
        facts=(
            ("side of the square", sides),
            ("fitted on", f"{len(fit.samples)} samples that the figures leave out"),
            ("fooled by a grey patch", f"{(held.right & world.fooled(grey)).sum()} of {held.right.sum()}"),
            ("gradient queries spent in all", str(int(patch.oracle.queries.sum()))),
        ),
        examples=examples(context, held, fooled, world.paste(fitted.value)),
        cut=cut,
    )
    return [conclude(context, found)]


def _sides(side: int, of: int) -> str:
    smallest, largest = (max(1, min(round(side * scale), of)) for scale in SCALES)
    return f"{smallest} of {of} pixels" if smallest == largest else f"{smallest} to {largest} of {of} pixels"


class _Pasting:
    """The reported samples with a place for each."""

    def __init__(self, context: CheckContext, asked: Asked) -> None:
        self._asked, self._schema = asked, context.data.schema
        self._rng: SampleRandom = noise_of(context, asked)
        self._places: Places = draw_places(self._rng, 0, SHARE, *asked.samples.x.shape[2:])

    def paste(self, patch: Tensor) -> Tensor:
        """The samples with a patch over them."""
        return paste(self._asked.x, patch, self._places)

    def fooled(self, patch: Tensor) -> np.ndarray:
        """Whom it fools, (n,) bool."""
        patched, low, high = self.paste(patch), self._schema.low, self._schema.high
        return self._asked.wrong(patched, only_patched(self._asked.x, patched, self._places, low, high))

    def random(self, channels: int, side: int) -> Tensor:
        """A patch of random values for each sample."""
        low, high = self._schema.low, self._schema.high
        return low + (high - low) * self._rng.uniform(1, channels, side, side)


_REMEDY = (
    "Train with patches pasted over the pictures (adversarial patch training, Rao et al. 2020). A bound of what any "
    "such patch can do comes from models that look at small windows and mask the odd ones out (PatchGuard, Xiang et "
    "al. 2021)."
)
