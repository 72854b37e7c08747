"""The attribute check: imputation is no leak, memorising is one, and what was not looked at is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.audit.base import CheckContext, Effort, checks
from gambeson.audit.checks.attributes import privacy_attributes
from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests.attribute_world import SCHEMA, dataset, memorises, never_saw, people, tells
from tests.membership_worlds import Nearest, records
from tests.membership_worlds import dataset as pictureless

EFFORT = Effort(samples=10, steps=1, targets=1, queries=1, curve=(), references=0, records=400)
TRAIN, TEST = people(400, 1), people(800, 2)


def context(model, **changes) -> CheckContext:
    base = CheckContext(
        check="privacy.attributes",
        model=model,
        data=dataset(TRAIN, TEST),
        threat=ThreatModel(access=Access.SCORES),
        effort=EFFORT,
        seed=Seed(0).child("privacy.attributes"),
        command="gambeson audit model --only privacy.attributes",
    )
    return replace(base, **changes)


def audit(model, **changes):
    (finding,) = privacy_attributes(context(model, **changes))
    return finding


def test_a_model_that_never_saw_the_attribute_gives_nothing_away():
    finding = audit(never_saw())
    assert (finding.outcome, finding.severity) == (Outcome.PASSED, Severity.INFO)
    for name in ("secret.advantage", "secret.with_label.advantage", "secret.memorised", "memorised"):
        ends = finding.measurement(name).interval
        assert ends.low < 0 < ends.high or abs(ends.low) < 0.02


def test_a_model_that_memorised_its_rows_fails_and_so_do_only_members():
    finding = audit(memorises(TRAIN))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert finding.measurement("secret.with_label.accuracy_with_model").value > 0.85
    assert finding.measurement("secret.with_label.memorised").interval.low > 0.1
    assert finding.measurement("advantage").value == finding.measurement("secret.with_label.advantage").value
    assert "differential privacy" in finding.remedy


def test_imputation_alone_is_no_leak():
    """The label is the secret: who knows it needs no model, and the model adds nothing."""
    train, test = people(400, 3, noise=0.0), people(800, 4, noise=0.0)
    finding = audit(tells(), data=dataset(train, test))
    assert finding.measurement("secret.with_label.accuracy_without_model").value == 1.0
    assert finding.measurement("secret.with_label.advantage").value == 0.0
    assert finding.outcome is Outcome.PASSED


def test_the_marginals_stand_beside_the_figures():
    finding = audit(never_saw())
    truth = finding.measurement("secret.accuracy_by_marginals")
    share = float(TRAIN.x[:, 2].mean())
    assert min(abs(truth.value - share), abs(truth.value - (1 - share))) < 1e-6
    assert finding.measurement("secret.accuracy_without_model").value >= truth.value
    (table,) = finding.evidence.tables
    assert [row[:2] for row in table.rows] == [("secret", "no"), ("secret", "yes")]


def test_without_training_records_the_others_are_asked_about():
    finding = audit(never_saw(), train_split=None)
    assert dict(finding.evidence.facts)["training records asked about"] == "0"
    assert "memorised" not in {m.name for m in finding.measurements}
    assert any("training records are not known" in cut for cut in finding.cut)


def test_named_features_are_the_ones_inferred():
    named = Dataset("people", replace(SCHEMA, sensitive=("a",)), {"train": TRAIN, "test": TEST}, "sha256:0")
    with pytest.raises(UsageError, match="'a' has no 2 to 64 values"):
        audit(never_saw(), data=named)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": dataset(people(20, 1), TEST)}, "20 training records"),
        ({"data": pictureless(records(100, 1), records(100, 2))}, "no feature with few values"),
        (
            {"data": Dataset("flat", Schema((1, 6, 6), ("a", "b")), {"test": TEST}, "")},
            "no feature with few values",
        ),
        ({"deadline": 0.0, "clock": lambda: 1.0}, "time ran out"),
    ],
)
def test_what_cannot_be_measured_is_insufficient_evidence_with_its_reason(changes, reason):
    with pytest.raises(InsufficientEvidence, match=reason):
        audit(never_saw(), **changes)


def test_a_feature_that_never_varies_is_named_as_left_out():
    still = [ArraySplit(np.where(np.arange(4) == 2, 1, s.x).astype(np.float32), s.y) for s in (TRAIN, TEST)]
    with pytest.raises(InsufficientEvidence, match="one value only"):
        audit(never_saw(), data=dataset(*still))


def test_the_same_seed_gives_the_same_finding_whatever_the_batch_size():
    assert audit(memorises(TRAIN)) == audit(memorises(TRAIN), rows_per_pass=8)


def test_the_check_is_registered_for_score_access_once_per_audit():
    facts = checks["privacy.attributes"].facts
    assert (facts.access, facts.per_threat) == (Access.SCORES, False)


def test_a_model_of_flat_records_without_kinds_is_not_assessed():
    with pytest.raises(InsufficientEvidence):
        audit(Nearest(TRAIN.x, TRAIN.y), data=pictureless(records(80, 1), records(80, 2)))
