"""What every membership-inference attack is held to; each function returns what it caught, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gambeson.attacks.privacy.base import MembershipAttack, MembershipTask, Outsiders, PrivacyFacts
from gambeson.attacks.privacy.harness import Candidates, Membership, area, run_inference
from gambeson.attacks.privacy.references import no_references
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.membership_worlds import candidates

Build = Callable[[], MembershipAttack]
SEED = Seed(0).child("conformance")
STRICT = 0.9999
"""Level of the intervals: an honest attack is accused once in ten thousand."""


def violations(build: Build, facts: PrivacyFacts) -> list[str]:
    """Everything that is wrong with an attack; empty when it conforms."""
    found: list[str] = []
    for rule in (
        invents_nothing,
        finds_a_plain_leak,
        repeatable,
        leaves_its_input_alone,
        honest_about_references,
    ):
        try:
            found += rule(build, facts)
        except Exception as error:
            found.append(f"{rule.__name__}: raised {type(error).__name__}: {error}")
    return found


def invents_nothing(build: Build, facts: PrivacyFacts) -> Iterator[str]:
    """Where the target says nothing about membership, neither does the attack."""
    worlds = {
        "a target trained on none of the records": candidates(leak=0),
        "membership permuted": permuted(candidates(leak=3)),
    }
    for world, given in worlds.items():
        ends = area(_run(build, facts, given), level=STRICT).interval
        if not ends.low <= 0.5 <= ends.high:
            yield f"knows what it cannot know: {world}, AUC [{ends.low:.3f}, {ends.high:.3f}]"


def finds_a_plain_leak(build: Build, facts: PrivacyFacts) -> Iterator[str]:
    """Where members are plainly more likely, the attack is better than chance."""
    figure = area(_run(build, facts, candidates(leak=3)), level=STRICT)
    if figure.interval.low <= 0.5:
        yield f"misses a plain leak: AUC {figure}"


def repeatable(build: Build, facts: PrivacyFacts) -> Iterator[str]:
    """The same seed gives the same scores."""
    first, again = (_run(build, facts, candidates(leak=1)) for _ in range(2))
    if not (
        np.array_equal(first.members, again.members) and np.array_equal(first.nonmembers, again.nonmembers)
    ):
        yield "gives other scores under the same seed"


def leaves_its_input_alone(build: Build, facts: PrivacyFacts) -> Iterator[str]:
    """What the attack is given is unchanged afterwards."""
    given, untouched = task(candidates(leak=1)), task(candidates(leak=1))
    build().infer(given)
    for name in ("target", "labels", "answers", "included", "features"):
        if not np.array_equal(getattr(given, name), getattr(untouched, name)):
            yield f"changes its input: {name}"


def honest_about_references(build: Build, facts: PrivacyFacts) -> Iterator[str]:
    """Needs references if and only if it says so."""
    world = candidates(leak=1)
    bare = task(replace(world, references=no_references(len(world.labels))))
    if not facts.least_references:
        if not np.array_equal(build().infer(bare), build().infer(task(world))):
            yield "uses references although it declares that it needs none"
        return
    try:
        build().infer(bare)
    except UsageError:
        return
    yield "declares that it needs references and runs without them"


def permuted(world: Candidates) -> Candidates:
    """The same records with the truth dealt out anew: nothing is left to be found."""
    return replace(world, truth=np.random.default_rng(1).permutation(world.truth))


def _run(build: Build, facts: PrivacyFacts, world: Candidates) -> Membership:
    return run_inference(build(), "planted", world, SEED, outsiders=facts.needs_outsiders)


def task(world: Candidates) -> MembershipTask:
    """What an attack sees of a world, in the world's order, beside the non-members of another world."""
    others = candidates(leak=0, seed=9)
    outsiders = Outsiders(others.target, others.labels, others.features)
    everyone = np.arange(len(world))  # taking rows copies them
    return replace(world.task(everyone, SEED), outsiders=outsiders)
