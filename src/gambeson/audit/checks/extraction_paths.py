"""The path-finding check: can a tree be read off its answers, leaf by leaf?"""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.grid import Grid
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.tree_paths import Tree, find_paths
from gambeson.attacks.robustness import choose_samples
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.attacker_inputs import own_inputs
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_QUERIES = 20
"""Budget for each query per sample of the profile: 10,000, 40,000, 100,000."""
_CHECKS = 16
"""Random inputs of each box."""
_OWN = 500
_LOOKED_AT = 50
_NUDGE = 1e-4
"""Of each feature's range: what seldom leaves a leaf."""
_READ = 0.95
"""Lower bound of fidelity from which the tree counts as read."""


@checks.register(
    "extraction.paths",
    CheckFacts(
        family=Family.EXTRACTION,
        access=Access.SCORES,
        question="Can the model be read off its scores as a tree, leaf by leaf?",
        taxonomy=("atlas:AML.T0024.002", "nist:NISTAML.031", "owasp-ml:ML05:2023"),
        cost=0.5,
        per_threat=False,
    ),
)
def extraction_paths(context: CheckContext) -> list[Finding]:
    """Follows every feature from inputs of the attacker's own to where the scores change.

    One decision tree is read completely, its limits to the last bit. An ensemble has as many regions as its trees have
    combinations of leaves: few small trees can be read, many cannot, and then few audited inputs lie in a region that
    was found. Fails, high, when the copy answers as the model does on audited inputs with a lower bound above 0.95.

    Raises:
        Unavailable: Scores change wherever the input does, so the model is no tree.
        InsufficientEvidence: The attacker has no inputs.
        ModelError: The model answered with something unusable.
    """
    samples = choose_samples(
        context.data.split(context.split), context.effort.samples, Seed(context.seed.value).child("samples")
    )
    passes, x = Passes(context.model, context.rows_per_pass), samples.x.numpy()
    grid = Grid.of(context.data.schema)
    budget = context.effort.queries * _QUERIES
    purse = Purse(
        passes,
        Access.SCORES,
        budget=budget,
        journal=context.journal,
        key=f"{context.check}/answers",
        stop=lambda: context.time_is_up,
    )
    own = own_inputs(context, samples.index, _OWN)[0].numpy()
    _require_steps(purse, grid, own[:_LOOKED_AT])
    context.progress.start(context.check, budget)

    def answer(asked: np.ndarray) -> np.ndarray:
        context.progress.advance(context.check, len(asked), f"{purse.spent} queries")
        return purse.logits(torch.from_numpy(asked))

    tree = find_paths(answer, grid, own, checks=_CHECKS, seed=context.seed)
    purse.flush()
    if not len(tree.answers):
        raise InsufficientEvidence(
            f"{purse.spent} queries measured no region of constant scores.",
            remedy="allow more time, or choose a more thorough profile",
        )
    theirs = passes.scores(samples.x.to(passes.device)).argmax(1).cpu().numpy()
    return [_finding(context, tree, purse, (theirs, tree.find(x)))]


def _require_steps(purse: Purse, grid: Grid, x: np.ndarray) -> None:
    """Refuse a model whose scores move when numbers move a little.

    Raises:
        Unavailable: They do, on most inputs.
    """
    if not grid.numeric.any():
        return
    places = grid.places(x)
    up = (places < grid.high) & grid.numeric
    moved = grid.between(places, np.where(up, grid.high, places), np.full(places.shape, _NUDGE))
    before, after = (purse.logits(torch.from_numpy(grid.inputs(p))) for p in (places, moved))
    changed = float((before != after).any(1).mean())
    if changed > 0.5:
        raise Unavailable(
            f"A ten-thousandth of each feature's range changes the scores of {changed:.0%} of {len(x)} inputs.",
            expected="a tree, whose scores are constant in each leaf",
        )


def _finding(
    context: CheckContext, tree: Tree, purse: Purse, audited: tuple[np.ndarray, np.ndarray]
) -> Finding:
    info, (theirs, boxes) = checks[context.check].facts, audited
    n, found = len(boxes), boxes >= 0
    same = int((tree.answers[boxes[found]].argmax(1) == theirs[found]).sum())
    fidelity, seen = (
        proportion("fidelity", same, n, better="lower"),
        proportion("covered", int(found.sum()), n),
    )
    read = fidelity.interval is not None and fidelity.interval.low > _READ
    leaves, outcome = len(tree.answers), Outcome.FAILED if read else Outcome.PASSED
    cut = ("not every leaf was measured",) if context.time_is_up else ()
    if cut and not read:
        outcome = Outcome.NOT_ASSESSED
    return Finding(
        check=context.check,
        title=f"{purse.spent} answers show {leaves} leaves, right on {fidelity.value:.1%} of inputs",
        family=info.family,
        access=info.access,
        outcome=outcome,
        severity=Severity.HIGH if read else Severity.INFO,
        summary=_summary(tree, purse, seen),
        reason="time ran out before every leaf was measured" if outcome is Outcome.NOT_ASSESSED else "",
        remedy=_REMEDY if read else "",
        measurements=(
            fidelity,
            seen,
            Measurement("leaves", float(leaves), "leaves", leaves),
            Measurement("queries", float(purse.spent), "queries", purse.spent, better="higher"),
        ),
        evidence=Evidence(
            command=context.command,
            samples=n,
            method=f"path finding, {_CHECKS} random inputs in each leaf, seed {context.seed.value}",
            facts=(
                ("every face of every leaf was looked behind", "yes" if tree.complete else "no"),
                ("leaves with equal scores", "some" if tree.repeats else "none"),
            ),
        ),
        taxonomy=info.taxonomy,
        cut=cut,
    )


def _summary(tree: Tree, purse: Purse, seen: Measurement) -> str:
    if not tree.complete:
        return (
            f"{purse.spent} queries did not reach every region of constant scores; {seen.value:.1%} of the "
            "audited inputs lie in one that was found. An ensemble of many trees has too many regions to be read."
        )
    if tree.repeats:
        return (
            "The scores have been followed to all their limits. Some leaves answer alike, so that limits between them "
            "rest on random inputs."
        )
    return "No two leaves answer alike, and the scores have been followed to all their limits: the tree is known."


_REMEDY = (
    "Whoever may ask for scores owns this tree: treat it as published. Answer with labels, which cost several times as "
    "many queries, limit queries per client, or serve an ensemble."
)
