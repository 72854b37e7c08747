"""Attribute inference check: does the model tell what it knows of a person beyond what anyone could guess?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.privacy.attribute_attacks import Inference, Rows, infer_attribute
from gambeson.attacks.privacy.attributes import Attribute, choose_attributes
from gambeson.attacks.privacy.pool import Pool, draw_pool
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.attributes_evidence import Guessed, Leak, leak_of, leak_table, measurements
from gambeson.audit.checks.attributes_verdict import judge
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

_FEWEST = 50
"""Rows of each kind below which no figure would mean anything."""
_ROWS_AT_ONCE = 1_024


@checks.register(
    "privacy.attributes",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.SCORES,
        question="Does the model give away sensitive features of a known person?",
        taxonomy=("atlas:AML.T0024.001", "nist:NISTAML.032", "owasp-ml:ML03:2023"),
        per_threat=False,
    ),
)
def privacy_attributes(context: CheckContext) -> list[Finding]:
    """Attribute inference on tables, with and without the label, against imputation without the model.

    The attacker knows all of a row but one feature, and holds rows of his own (half of the audited split) that are no
    training records. What counts is by how much the model improves the best guess that can be made without it, on the
    same rows; and how much of that the model owes to having been trained on them (members against non-members).
    ``attributes_verdict`` states when the check fails.

    Raises:
        InsufficientEvidence: The data is no table with features to infer, or there are too few rows, or no time.
        UsageError: A feature that was named as sensitive cannot be inferred.
        Unavailable: scikit-learn is not installed.
        ModelError: The model answered with something unusable.
    """
    schema = context.data.schema
    chosen = choose_attributes(schema, schema.sensitive)
    if not chosen:
        raise InsufficientEvidence(
            f"{context.data.name} has no feature with few values that could be sensitive.",
            expected="a table with categories, or --data-option sensitive=NAME",
        )
    people = _people(context)
    context.progress.start(context.check, sum(len(attribute.values) for attribute in chosen) * len(people))
    leaks: list[Leak] = []
    for attribute in chosen:
        if context.time_is_up:
            break
        leaks += _leaks(context, attribute, people, tests=2 * len(chosen))
    if not leaks:
        raise InsufficientEvidence(
            "No feature was inferred: time ran out, or each has one value only.", remedy="allow more time"
        )
    assessed = {leak.attribute for leak in leaks}
    return [_finding(context, leaks, people, [a.name for a in chosen if a.name not in assessed])]


@dataclass(frozen=True, slots=True)
class _People:
    """Rows whose attributes are asked for, and those of the attacker.

    Attributes:
        members: (m, d) and labels, training records; empty where they are not known.
        others: (n, d) and labels, records the model was not trained on.
        own: The attacker's rows.
    """

    members: tuple[np.ndarray, np.ndarray]
    others: tuple[np.ndarray, np.ndarray]
    own: tuple[np.ndarray, np.ndarray]

    def __len__(self) -> int:
        return sum(len(y) for _, y in (self.members, self.others, self.own))


def _people(context: CheckContext) -> _People:
    data, most, seed = context.data, context.effort.records, context.seed.child("records")
    audited, name = data.split(context.split), context.train_split
    known = name is not None and name in data.splits and name != context.split
    if known and name is not None:
        pool = draw_pool(data.split(name), audited, 2 * most, seed)
    else:
        rows = seed.generator().permutation(len(audited))[: 2 * most]
        pool = Pool(audited, audited, np.empty(0, int), np.sort(rows), np.empty(0, int))
    halves = np.array_split(seed.child("halves").generator().permutation(pool.nonmember_rows), 2)
    members = np.sort(seed.child("members").generator().permutation(pool.member_rows)[:most])
    inside = pool.members.take(members) if len(members) else _nobody(context)
    people = _People(inside, audited.take(np.sort(halves[0])), audited.take(np.sort(halves[1])))
    fewest = min(len(y) for _, y in (people.others, people.own))
    if fewest < _FEWEST or (known and len(members) < _FEWEST):
        raise InsufficientEvidence(
            f"There are {len(members)} training records and {len(pool.nonmember_rows)} others to infer a feature of.",
            expected=f"at least {_FEWEST} training records and {2 * _FEWEST} others: half of these are the attacker's",
        )
    return people


def _nobody(context: CheckContext) -> tuple[np.ndarray, np.ndarray]:
    return np.empty((0, *context.data.schema.shape), np.float32), np.empty(0, np.int64)


def _leaks(context: CheckContext, attribute: Attribute, people: _People, tests: int) -> Iterator[Leak]:
    """What is given away of one attribute, without the label and with it; nothing where it never varies."""
    truths = [attribute.read(x) for x, _ in (people.members, people.others, people.own)]
    if len(np.unique(truths[2])) < 2:
        return
    members, others, own = (
        _rows(context, attribute, *part) for part in (people.members, people.others, people.own)
    )
    seed = context.seed.child(attribute.name)
    everyone = Rows(*(np.concatenate(column) for column in zip(_parts(members), _parts(others), strict=True)))
    truth = np.concatenate(truths[:2])
    inside = np.arange(len(truth)) < len(truths[0])
    for knows_label in (False, True):
        found = infer_attribute(own, truths[2], everyone, knows_label=knows_label, seed=seed)
        yield leak_of(attribute.name, _right(found, truth), inside, knows_label=knows_label, tests=tests)


def _parts(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows.rest, rows.labels, rows.scores


def _right(found: Inference, truth: np.ndarray) -> Guessed:
    return Guessed(
        {name: guess == truth for name, guess in found.baselines.items()},
        {name: guess == truth for name, guess in found.attacks.items()},
    )


def _rows(context: CheckContext, attribute: Attribute, x: np.ndarray, y: np.ndarray) -> Rows:
    """The rows with the model's answers for each value tried."""
    passes = Passes(context.model, context.rows_per_pass)
    scores = np.empty((len(x), len(attribute.values), context.model.info.classes))
    for code in range(len(attribute.values)):
        tried = attribute.put(x, code)
        for start in range(0, len(x), _ROWS_AT_ONCE):
            block = torch.from_numpy(tried[start : start + _ROWS_AT_ONCE]).to(passes.device)
            oracle = Oracle(passes, Access.SCORES, rows=len(block))
            answer = oracle.scores(block).double().log_softmax(1).cpu().numpy()
            scores[start : start + len(block), code] = answer
        context.progress.advance(context.check, len(x), attribute.name)
    return Rows(attribute.hide(x), y, scores)


def _finding(context: CheckContext, leaks: list[Leak], people: _People, missing: list[str]) -> Finding:
    facts, verdict = checks[context.check].facts, judge(leaks, complete=not missing)
    worst = max(leaks, key=lambda leak: leak.advantage.value)
    failed = verdict.outcome is Outcome.FAILED
    claim = (
        "The model gives away sensitive features" if failed else "Sensitive features are no easier to infer"
    )
    cut = [f"not inferred, for lack of time or because only one value occurs: {name}" for name in missing]
    if not len(people.members[1]):
        cut.append(
            "training records are not known: what the model memorised was not told from what it learnt"
        )
    return Finding(
        check=context.check,
        title=f"{claim}: at most {worst.advantage.value:+.1%} over guessing without it ({worst.attribute})",
        family=facts.family,
        access=facts.access,
        outcome=verdict.outcome,
        severity=verdict.severity,
        summary=_summary(worst),
        reason=verdict.reason,
        remedy=_REMEDY if failed else "",
        measurements=measurements(leaks),
        evidence=Evidence(
            command=context.command,
            samples=worst.advantage.n,
            method=f"{', '.join(worst.attacks)}; imputation by gradient boosting; seed {context.seed.value}",
            facts=(
                ("training records asked about", str(len(people.members[1]))),
                ("other records asked about", str(len(people.others[1]))),
                ("rows that the attacker holds", str(len(people.own[1]))),
            ),
            tables=(leak_table(leaks),),
        ),
        taxonomy=facts.taxonomy,
        cut=tuple(cut),
    )


def _summary(worst: Leak) -> str:
    known = "and the label " if worst.knows_label else ""
    return (
        f"Who knows all other features {known}of a person guesses {worst.attribute!r} right in "
        f"{worst.baseline.value:.1%} of cases without the model and in {worst.attacked.value:.1%} with its scores. "
        "This is the feature with the largest difference; the table has them all."
    )


_REMEDY = (
    "Ask whether the model needs this feature at all; leave it out, or replace it by a coarser one. What was memorised "
    "of training records (the last column) shrinks with regularisation, fewer passes over the data, and provably with "
    "differential privacy (DP-SGD, Abadi et al. 2016). What the model learnt of the population does not."
)
