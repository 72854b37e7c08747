"""What every extraction attack is held to; each function returns what it caught, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from gambeson.attacks.extraction.base import ExtractionAttack, ExtractionFacts
from gambeson.core.threat import Access
from tests.extraction_worlds import CLASSES, FEATURES, Victim, fidelity, theft

Build = Callable[[], ExtractionAttack]
BUDGET = 150


def violations(build: Build, facts: ExtractionFacts) -> list[str]:
    """Everything that is wrong with an attack; empty when it conforms."""
    found: list[str] = []
    for rule in (
        keeps_to_its_purse,
        runs_with_the_access_it_declares,
        repeatable,
        leaves_its_inputs_alone,
        needs_what_it_says,
    ):
        try:
            found += rule(build, facts)
        except Exception as error:
            found.append(f"{rule.__name__}: raised {type(error).__name__}: {error}")
    return found


def keeps_to_its_purse(build: Build, facts: ExtractionFacts) -> Iterator[str]:
    """Spends no more than it has, asks only about valid inputs, and makes a copy that is better than chance."""
    victim = Victim()
    copy = build().extract(purse := victim.purse(Access.SCORES, BUDGET), theft())
    rows = {row.tobytes() for row in victim.asked}
    if len(rows) > BUDGET or purse.spent > BUDGET:
        yield f"asked about {len(rows)} inputs with a budget of {BUDGET}"
    if not all((row >= 0).all() and (row <= 1).all() for row in victim.asked):
        yield "asked about inputs outside the bounds"
    answers = copy.scores(np.zeros((3, FEATURES), np.float32))
    if answers.shape != (3, CLASSES) or not np.isfinite(answers).all():
        yield f"the copy answers with {answers.shape}"
    if fidelity(copy) < 0.5:
        yield f"the copy is no better than chance: {fidelity(copy):.2f}"


def runs_with_the_access_it_declares(build: Build, facts: ExtractionFacts) -> Iterator[str]:
    """Makes a copy from no more than it declares."""
    copy = build().extract(Victim().purse(facts.access, BUDGET), theft())
    if fidelity(copy) < 0.4:
        yield f"the copy from {facts.access} is no better than chance: {fidelity(copy):.2f}"


def repeatable(build: Build, facts: ExtractionFacts) -> Iterator[str]:
    """The same seed asks the same and gives the same copy, whatever torch drew before."""
    made = []
    for noise in (0, 1):
        torch.manual_seed(noise)
        victim = Victim()
        copy = build().extract(victim.purse(facts.access, BUDGET), theft())
        made.append((np.array(victim.asked), copy.scores(np.full((1, FEATURES), 0.3, np.float32))))
    if not all(np.array_equal(first, again) for first, again in zip(*made, strict=True)):
        yield "asks or copies otherwise under the same seed"


def leaves_its_inputs_alone(build: Build, facts: ExtractionFacts) -> Iterator[str]:
    """The attacker's inputs are unchanged afterwards."""
    given, untouched = theft(), theft()
    build().extract(Victim().purse(facts.access, BUDGET), given)
    if not (torch.equal(given.x, untouched.x) and torch.equal(given.y, untouched.y)):
        yield "changes the attacker's inputs"


def needs_what_it_says(build: Build, facts: ExtractionFacts) -> Iterator[str]:
    """Without inputs it runs if it declares so, and else refuses in words."""
    from gambeson.core.errors import InsufficientEvidence

    try:
        build().extract(Victim().purse(facts.access, BUDGET), theft(0))
    except InsufficientEvidence:
        if not facts.pool:
            yield "declares that it needs no inputs and refuses without them"
        return
    if facts.pool:
        yield "declares that it needs inputs and runs without them"
