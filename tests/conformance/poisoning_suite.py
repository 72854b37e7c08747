"""What every poisoning attack is held to; each function returns what it caught, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gambeson.attacks.poisoning.base import Backdoor, Poisoning, PoisoningFacts, PoisonTask
from gambeson.attacks.poisoning.harness import run_poisoning
from gambeson.core.reproduce import Seed
from tests.poison_worlds import picture_task, table_task

Build = Callable[[], Poisoning]


def violations(build: Build, facts: PoisoningFacts) -> list[str]:
    """Everything that is wrong with an attack; empty when it conforms."""
    found: list[str] = []
    for rule in (keeps_its_word, repeatable, leaves_its_task_alone, stamps_within_the_bounds):
        try:
            found += rule(build, facts)
        except Exception as error:
            found.append(f"{rule.__name__}: raised {type(error).__name__}: {error}")
    return found


def task(facts: PoisoningFacts) -> PoisonTask:
    """A task of a kind that the attack works on, with a victim."""
    made = picture_task() if facts.pictures else table_task()
    return replace(made, victim=made.x[5].copy())


def keeps_its_word(build: Build, facts: PoisoningFacts) -> Iterator[str]:
    """The harness, which checks budget, bounds and what may change, lets it pass; and something changes."""
    given = task(facts)
    made = run_poisoning("planted", build(), facts, given)
    if not len(made.changed) and not made.record["removed"]:
        yield "changed nothing"
    if facts.goal == "backdoor" and not (made.y[made.changed] == given.target).all():
        yield "is a backdoor whose rows do not have the target"


def repeatable(build: Build, facts: PoisoningFacts) -> Iterator[str]:
    """The same seed changes the same rows to the same; another seed does not."""
    runs = [run_poisoning("planted", build(), facts, replace(task(facts), seed=Seed(s))) for s in (1, 1, 2)]
    digests = [run.record["digest after"] for run in runs]
    if digests[0] != digests[1]:
        yield "gives other data under the same seed"
    if digests[0] == digests[2] and facts.changes != "labels":
        yield "gives the same data under another seed"


def leaves_its_task_alone(build: Build, facts: PoisoningFacts) -> Iterator[str]:
    """The clean data are not written into."""
    given = task(facts)
    before = given.x.copy(), given.y.copy()
    build().poison(given)
    if not (np.array_equal(before[0], given.x) and np.array_equal(before[1], given.y)):
        yield "writes into its input"


def stamps_within_the_bounds(build: Build, facts: PoisoningFacts) -> Iterator[str]:
    """A trigger is the same for an input whatever batch it travels in, stays in the bounds, and is seen."""
    attack, given = build(), task(facts)
    if facts.goal != "backdoor":
        return
    if not isinstance(attack, Backdoor):
        yield "is a backdoor without a trigger"
        return
    low, high = given.schema.bounds()
    before = given.x.copy()
    stamped = attack.stamp(given.x, given.schema, given.seed)
    alone = attack.stamp(given.x[3:4], given.schema, given.seed)
    if not ((stamped >= low - 1e-5) & (stamped <= high + 1e-5)).all():
        yield "stamps values out of bounds"
    if not np.allclose(stamped[3:4], alone, atol=1e-6):
        yield "stamps an input otherwise in another batch"
    if np.abs(stamped - given.x).max() < 1e-3 or not np.array_equal(before, given.x):
        yield "stamps nothing, or into its input"
