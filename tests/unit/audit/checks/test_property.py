"""The property check: shares that show are told apart, shares that do not are not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from gambeson.audit.base import CheckContext, Effort, checks
from gambeson.audit.checks.property import privacy_property
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import Dataset
from gambeson.models.model import Model, ModelInfo
from tests.attribute_world import SCHEMA, people
from tests.tiny_models import ScoreModel

EFFORT = Effort(samples=10, steps=1, targets=1, queries=1, curve=(), references=6, records=400)
DATA = Dataset(
    "people",
    replace(SCHEMA, confidential=("secret", "v")),
    {"train": people(1_000, 1), "test": people(300, 2)},
    "sha256:0",
)


@dataclass
class Constant:
    """Answers one probability to everything: ``read`` makes it from the records it was trained on."""

    read: object
    p: float = 0.5
    info: ModelInfo = ModelInfo("constant", "callable", (4,), 2, "probabilities")  # noqa: RUF009

    def scores(self, x: np.ndarray) -> np.ndarray:
        return np.tile(np.array([1 - self.p, self.p], np.float32), (len(x), 1))

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> Model:
        return Constant(self.read, self.read(x, seed))


def tells_the_share(x, seed):
    return float(np.clip(x[:, 2].mean(), 0.05, 0.95))


def says_nothing(x, seed):
    return 0.4 + 0.2 * np.random.default_rng(seed % 2**32).random()


def context(read, **changes) -> CheckContext:
    base = CheckContext(
        check="privacy.property",
        model=Constant(read),
        data=DATA,
        threat=ThreatModel(access=Access.SCORES),
        effort=EFFORT,
        seed=Seed(0).child("privacy.property"),
    )
    return replace(base, **changes)


def audit(read, **changes):
    (finding,) = privacy_property(context(read, **changes))
    return finding


def test_a_share_that_shows_in_the_answers_is_told():
    finding = audit(tells_the_share)
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.MEDIUM)
    assert finding.measurement("told_apart").value == 1.0
    assert finding.measurement("told_apart").n == 12
    assert finding.measurement("true_share").value == pytest.approx(DATA.split("train").x[:, 2].mean())


def test_answers_that_say_nothing_are_chance():
    finding = audit(says_nothing)
    assert finding.outcome is Outcome.PASSED
    assert (
        finding.measurement("told_apart").interval.low < 0.5 < finding.measurement("told_apart").interval.high
    )


def test_time_that_runs_out_leaves_it_open():
    ticks = iter([0.0] * 3 + [9.0] * 99)
    finding = audit(says_nothing, deadline=5.0, clock=lambda: next(ticks))
    assert finding.outcome is Outcome.NOT_ASSESSED
    assert finding.cut == ("6 of 12 victims were trained",)
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        audit(says_nothing, deadline=5.0, clock=lambda: 9.0)


def test_a_resumed_audit_trains_nothing_twice_and_finds_the_same():
    class Kept(dict):
        load = dict.get
        save = dict.__setitem__

    kept, counted = Kept(), []

    def read(x, seed):
        counted.append(seed)
        return tells_the_share(x, seed)

    first = audit(read, journal=kept)
    assert audit(read, journal=kept) == first
    assert len(counted) == len(set(counted)) == 24


def test_without_a_declared_property_it_says_how_to_declare_one():
    with pytest.raises(InsufficientEvidence, match="confidential=COLUMN=VALUE"):
        audit(tells_the_share, data=replace(DATA, schema=SCHEMA))


def test_too_few_records_of_a_kind_are_too_few():
    rare = replace(DATA, splits={"train": people(60, 1), "test": people(300, 2)})
    with pytest.raises(InsufficientEvidence, match="rows for each reference model"):
        audit(tells_the_share, data=rare)


def test_a_model_that_cannot_be_trained_anew_is_unavailable():
    with pytest.raises(Unavailable, match="cannot be trained anew"):
        audit(tells_the_share, model=ScoreModel(lambda x: x, (4,), 2))


def test_the_check_is_registered_for_score_access_once_per_audit():
    facts = checks["privacy.property"].facts
    assert (facts.access, facts.per_threat) == (Access.SCORES, False)
