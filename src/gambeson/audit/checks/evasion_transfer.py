"""The transfer check: do adversarial examples made on a surrogate fool a model that nobody looked into?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.surrogate import train_surrogate
from gambeson.attacks.transfer import craft_on
from gambeson.attacks.universal import random_signs
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.attacker_inputs import own_inputs
from gambeson.audit.checks.evasion_sets import (
    Answer,
    Asked,
    ask_clean,
    conclude,
    examples,
    noise_of,
    run_of,
    target_of,
)
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Family, Finding
from gambeson.core.threat import Access
from gambeson.models.model import Differentiable
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

_MOST_STEPS = 20
_UPDATES_PER_STEP = 20
"""Training updates of the surrogate for each gradient step of the profile: 400, 1,000, 2,000."""
_ROWS_PER_UPDATE = 12
"""Inputs that the attacker asks about for each update: each is seen about five times."""


@checks.register(
    "evasion.transfer",
    CheckFacts(
        family=Family.EVASION,
        access=Access.LABELS,
        question="Do adversarial examples made on another model fool this one?",
        taxonomy=(
            "atlas:AML.T0043.002",
            "atlas:AML.T0005",
            "atlas:AML.T0015",
            "nist:NISTAML.025",
            "owasp-ml:ML01:2023",
        ),
    ),
)
def evasion_transfer(context: CheckContext) -> list[Finding]:
    """Momentum PGD on a surrogate; the target only answers once for each example.

    The surrogate is the one that was given, or a small network trained on what the target answers to inputs that
    are not audited. Fails like ``evasion.labels``. Beside it stands what the same perturbations do when the sign
    of each of their entries is random.

    Raises:
        Unavailable: The surrogate gives no gradients.
        InsufficientEvidence: Too few samples, none to train a surrogate on, or no time to train it.
        ModelError: A model answered with something unusable.
    """
    asked = ask_clean(context)
    steps = min(context.effort.steps, _MOST_STEPS)
    context.progress.start(context.check, len(asked.samples) * steps)
    stand_in = _given(context) or _trained(context, asked)
    space = PerturbationSet.of(context.threat, context.data.schema)
    run = run_of(context, f"{stand_in.name} {stand_in.digest}", "attacking the surrogate")
    delta = craft_on(stand_in.passes, asked.samples, space, steps, run)
    ball = space.around(asked.x)
    moved = ball.apply(delta.to(ball.x.device))
    fooled = asked.wrong_inside(moved, ball)
    target = target_of(context.threat)
    found = Answer(
        asked=asked,
        fooled=fooled,
        noise=asked.wrong_inside(random_signs(ball, delta.to(ball.x.device), noise_of(context, asked)), ball),
        target=target,
        change=f"examples made on {stand_in.name} within {target}",
        baseline="the same perturbations with random signs",
        method=f"momentum-pgd({steps}) on {stand_in.name}",
        remedy=_REMEDY,
        facts=(*stand_in.facts, *_on_surrogate(asked, stand_in, moved)),
        examples=examples(context, asked, fooled, moved),
    )
    return [conclude(context, found)]


@dataclass(frozen=True, slots=True)
class _StandIn:
    """A surrogate.

    Attributes:
        passes: Runs it.
        name: In reports.
        digest: Of its bytes; empty where it was trained here.
        facts: How it came about.
    """

    passes: Passes
    name: str
    digest: str
    facts: tuple[tuple[str, str], ...]


def _given(context: CheckContext) -> _StandIn | None:
    """The surrogate of the command, or ``None``."""
    model = context.surrogate
    if model is None:
        return None
    if not isinstance(model, Differentiable):
        raise Unavailable(
            f"The surrogate {model.info.name} ({model.info.kind}) gives no gradients.",
            expected="a PyTorch model",
            remedy="leave --surrogate out: one is then trained on the answers of the target",
        )
    if model.info.digest and model.info.digest == context.model.info.digest:
        raise Unavailable(
            "The surrogate is the audited model itself.", remedy="evasion.gradient attacks it directly"
        )
    passes = Passes(model, context.rows_per_pass)
    name = f"the surrogate {model.info.name}"
    return _StandIn(passes, name, model.info.digest, (("surrogate", f"{model.info.name}, as given"),))


def _trained(context: CheckContext, asked: Asked) -> _StandIn:
    """A small network trained on the target's answers."""
    updates = context.effort.steps * _UPDATES_PER_STEP
    x, _, source = own_inputs(
        context,
        asked.samples.index,
        updates * _ROWS_PER_UPDATE,
        remedy="give a surrogate with --surrogate, or data with a training split",
    )
    if context.time_is_up:
        raise InsufficientEvidence(
            "Time ran out before a surrogate was trained.",
            remedy="allow more time, or give a surrogate with --surrogate",
        )
    context.progress.advance(context.check, 0, "training a surrogate")
    oracle = Oracle(asked.passes, Access.LABELS, rows=len(x))
    answers = oracle.labels(x.to(asked.passes.device)).cpu()
    seed = context.seed.child("surrogate").integer()
    classes = context.model.info.classes
    surrogate = train_surrogate(x, answers, context.data.schema, classes, updates=updates, seed=seed)
    how = f"a network of {_size(surrogate.module):,} weights, {updates} updates on {len(x)} inputs from {source}"
    facts = (("surrogate", how), ("queries spent on its training", str(int(oracle.queries.sum()))))
    return _StandIn(Passes(surrogate, context.rows_per_pass), "a surrogate trained on its answers", "", facts)


def _size(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _on_surrogate(asked: Asked, stand_in: _StandIn, moved: Tensor) -> tuple[tuple[str, str], ...]:
    """How like the target it is, and how far the attack went on it."""
    before = stand_in.passes.scores(asked.samples.x.to(stand_in.passes.device)).argmax(1).cpu()
    target = asked.passes.scores(asked.x).argmax(1).cpu()
    after = stand_in.passes.scores(moved.to(stand_in.passes.device)).argmax(1).cpu()
    n = len(before)
    return (
        ("surrogate answers as the target on", f"{int((before == target).sum())} of {n} samples"),
        ("accuracy of the surrogate", f"{float((before == asked.samples.y).float().mean()):.1%}"),
        ("its accuracy under the attack", f"{float((after == asked.samples.y).float().mean()):.1%}"),
    )


_REMEDY = (
    "Train on adversarial examples, also such as were made on other networks (ensemble adversarial training, Tramèr "
    "et al. 2018). Limiting answers or queries does not help: this attacker asks once about each example."
)
