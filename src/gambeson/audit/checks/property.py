"""Property inference check: does the model tell which share of its training records has a property?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.privacy.proportion import (
    Shares,
    draw_with_share,
    rows_per_model,
    seems_larger,
    shares_around,
)
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.models.model import Model, Trainable
from gambeson.models.passes import Passes

_FEWEST = 100
"""Rows of one reference model below which nothing would be learnt."""
_MOST = 2_000
_QUERIES = 1_000


@checks.register(
    "privacy.property",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.SCORES,
        question="Does the model tell which share of its training records has a confidential property?",
        taxonomy=("atlas:AML.T0024", "nist:NISTAML.034"),
        per_threat=False,
    ),
)
def privacy_property(context: CheckContext) -> list[Finding]:
    """Tells models trained on two shares of a property apart, by their answers alone.

    Models of the target's kind are trained with the share 0.2 below and 0.2 above the true one: some are victims, the
    others, trained on other records, belong to the attacker. Reported is how many victims are put on the right side.
    Fails, medium, when the lower 95% bound of that share is above one half.

    Raises:
        InsufficientEvidence: No property was declared, there are too few records with or without it, or no time.
        Unavailable: The model cannot be trained anew.
        ModelError: Training failed, or a model answered with something unusable.
    """
    if not context.data.schema.confidential:
        raise InsufficientEvidence(
            "No confidential property of the training data was declared.",
            remedy="name one if there is any: --data-option confidential=COLUMN=VALUE, e.g. confidential=sex=Female",
        )
    if not isinstance(context.model, Trainable):
        raise Unavailable(
            f"{context.model.info.name} ({context.model.info.kind}) cannot be trained anew.",
            expected="weights with --factory, scikit-learn, XGBoost or LightGBM",
        )
    world = _prepare(context)
    return [_finding(context, world, _play(context, context.model, world))]


@dataclass(frozen=True, slots=True)
class _World:
    """Records, which of them have the property, and two pools that share none: victims' and attacker's."""

    x: np.ndarray
    y: np.ndarray
    has: np.ndarray
    pools: tuple[np.ndarray, np.ndarray]
    queries: np.ndarray
    truth: float
    shares: Shares
    rows: int


@dataclass(frozen=True, slots=True)
class _Games:
    """Right guesses, victims, and what the target itself seems to be (``None`` without attacker's models)."""

    right: int
    victims: int
    target: bool
    planned: int


def _prepare(context: CheckContext) -> _World:
    name = context.train_split
    own = (
        name if name is not None and name in context.data.splits and name != context.split else context.split
    )
    split = context.data.split(own)
    order = context.seed.child("records").generator().permutation(len(split))[: 8 * _MOST]
    x, y = split.take(np.sort(order))
    has = _has_property(context, x)
    queries = _draw_queries(context, own, order)
    parts = np.array_split(context.seed.child("pools").generator().permutation(len(x)), 2)
    truth = float(has.mean())
    shares = shares_around(truth)
    rows = min(rows_per_model(has[part], shares, _MOST) for part in parts)
    if rows < _FEWEST or len(queries) < _FEWEST:
        raise InsufficientEvidence(
            f"Of {len(x)} records {int(has.sum())} have the property: {rows} rows for each reference model.",
            expected=f"records with and without it for models of at least {_FEWEST} rows, and {_FEWEST} queries",
        )
    return _World(x, y, has, (parts[0], parts[1]), queries, truth, shares, rows)


def _has_property(context: CheckContext, x: np.ndarray) -> np.ndarray:
    name, value = context.data.schema.confidential  # type: ignore[misc]
    feature = context.data.schema.features[context.data.schema.place(name)]
    cell = float(feature.categories.index(value)) if feature.categories else float(value)
    return np.asarray(x[:, context.data.schema.place(name)] == np.float32(cell))


def _draw_queries(context: CheckContext, own: str, used: np.ndarray) -> np.ndarray:
    """Inputs to ask every model about: of the audited split, and none that a model is trained on."""
    split = context.data.split(context.split)
    free = np.setdiff1d(np.arange(len(split)), used) if own == context.split else np.arange(len(split))
    rng = context.seed.child("queries").generator()
    return split.take(np.sort(rng.permutation(free)[:_QUERIES]))[0]


def _play(context: CheckContext, model: Trainable, world: _World) -> _Games:
    """Train victims and the attacker's models in turn until all are there or time runs out."""
    each = max(context.effort.references, 2)
    answers: dict[tuple[int, bool], list[np.ndarray]] = {(p, s): [] for p in (0, 1) for s in (False, True)}
    context.progress.start(context.check, 4 * each)
    for number in range(each):
        if context.time_is_up:
            break
        for pool, large in answers:
            answers[pool, large].append(_answers_of_new(context, model, world, pool, large, number))
            context.progress.advance(context.check, 1, "reference models")
    if len(answers[1, True]) < 2:
        raise InsufficientEvidence("Time ran out before two models of each kind were trained.")
    theirs = np.stack(answers[1, False]), np.stack(answers[1, True])
    right = sum(
        seems_larger(victim, *theirs) == side for side in (False, True) for victim in answers[0, side]
    )
    target = seems_larger(_answers(context, model, world), *theirs)
    return _Games(right, 2 * len(answers[0, True]), target, 2 * each)


def _answers_of_new(
    context: CheckContext, model: Trainable, world: _World, pool: int, large: bool, number: int
) -> np.ndarray:
    """What a model with this share says to the queries; from the journal where it was trained before."""
    key = f"{context.check}/{pool}/{large}/{number}"
    stored = context.journal.load(key)
    if stored is not None:
        return stored["answers"]
    seed = Seed(context.seed.value, context.seed.path).child(str(pool), str(large), str(number))
    members, share = world.pools[pool], world.shares.large if large else world.shares.small
    rows = members[draw_with_share(world.has[members], share, world.rows, seed.child("rows"))]
    fresh = model.fit_new(world.x[rows], world.y[rows], seed.child("fit").integer())
    found = _answers(context, fresh, world)
    context.journal.save(key, {"answers": found})
    return found


def _answers(context: CheckContext, model: Model, world: _World) -> np.ndarray:
    passes = Passes(model, context.rows_per_pass)
    parts = _in_blocks(world.queries)
    scores = [
        passes.scores(torch.from_numpy(part).to(passes.device)).double().log_softmax(1) for part in parts
    ]
    return np.asarray(torch.cat(scores).cpu().numpy())


def _in_blocks(x: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(x), 1_024):
        yield x[start : start + 1_024]


def _finding(context: CheckContext, world: _World, games: _Games) -> Finding:
    facts = checks[context.check].facts
    told = proportion("told_apart", games.right, games.victims, better="lower")
    failed = told.interval is not None and told.interval.low > 0.5
    name = " = ".join(context.data.schema.confidential)
    shares = f"{world.shares.small:.0%} and {world.shares.large:.0%}"
    cut = games.victims < games.planned
    return Finding(
        check=context.check,
        title=(
            f"Models trained on {shares} of {name} are told apart in {games.right} of {games.victims} cases"
            if failed
            else f"Models trained on {shares} of {name} are not told apart: {games.right} of {games.victims} cases"
        ),
        family=facts.family,
        access=facts.access,
        outcome=Outcome.FAILED if failed else Outcome.NOT_ASSESSED if cut else Outcome.PASSED,
        severity=Severity.MEDIUM if failed else Severity.INFO,
        summary=(
            f"Who can train models like this one on data of their own tells from its scores on which share of {name} "
            f"it was trained, right in {told.value:.0%} of cases (50% is chance). The model itself, with a share of "
            f"{world.truth:.0%}, looks like one of {world.shares.large if games.target else world.shares.small:.0%}."
        ),
        reason="time ran out before all models were trained" if cut and not failed else "",
        remedy=_REMEDY if failed else "",
        measurements=(
            told,
            Measurement("true_share", world.truth, "fraction", len(world.has)),
        ),
        evidence=Evidence(
            command=context.command,
            samples=games.victims,
            method=f"KL test (Suri et al. 2023) on {len(world.queries)} queries, seed {context.seed.value}",
            facts=(
                ("shares compared", shares),
                ("victims", str(games.victims)),
                ("models of the attacker", str(games.victims)),
                ("records behind each model", str(world.rows)),
            ),
        ),
        taxonomy=facts.taxonomy,
        cut=(f"{games.victims} of {games.planned} victims were trained",) if cut else (),
    )


_REMEDY = (
    "Differential privacy protects records, not shares. Train on data resampled to a share that may be known, or leave "
    "out the feature and what stands for it; return labels instead of scores."
)
