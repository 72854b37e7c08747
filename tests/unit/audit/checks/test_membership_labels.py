"""The label-only check: fails on a model that memorised, passes on a stranger, keeps to its budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.base import CheckContext, Effort, checks
from gambeson.audit.checks.membership_labels import privacy_membership_labels
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from tests.membership_worlds import Nearest, dataset, records

EFFORT = Effort(samples=10, steps=1, targets=1, queries=1, curve=(), references=2, records=300)
TRAIN, TEST = records(300, 1), records(300, 2)


def audit(model, **changes):
    base = CheckContext(
        check="privacy.membership_labels",
        model=model,
        data=dataset(TRAIN, TEST),
        threat=ThreatModel(access=Access.LABELS),
        effort=EFFORT,
        seed=Seed(0).child("privacy.membership_labels"),
    )
    (finding,) = privacy_membership_labels(replace(base, **changes))
    return finding


def test_a_model_that_memorised_fails():
    finding = audit(Nearest(TRAIN.x, TRAIN.y))
    assert finding.outcome is Outcome.FAILED
    assert finding.measurement("label_noise.auc").value >= finding.measurement("gap.auc").value > 0.8
    assert finding.evidence.tables[0].kind == "most_exposed"


def test_a_model_trained_on_other_records_passes():
    other = records(300, 3)
    finding = audit(Nearest(other.x, other.y))
    assert finding.outcome is Outcome.PASSED
    ends = finding.measurement("label_noise.auc").interval
    assert ends.low < 0.5 < ends.high


@pytest.mark.parametrize(("budget", "spent"), [(None, 16), (5, 5), (1, 1)])
def test_queries_stay_within_the_threat_model(budget, spent):
    finding = audit(Nearest(TRAIN.x, TRAIN.y), threat=ThreatModel(access=Access.LABELS, queries=budget))
    assert dict(finding.evidence.facts)["queries spent in all"] == str(600 * spent)
    assert ("label_noise.auc" in {m.name for m in finding.measurements}) == (spent > 1)


def test_time_that_runs_out_is_insufficient_evidence(monkeypatch):
    monkeypatch.setattr("gambeson.attacks.privacy.pool._ROWS_AT_ONCE", 64)
    with pytest.raises(InsufficientEvidence, match="64 of 600 records"):
        audit(Nearest(TRAIN.x, TRAIN.y), deadline=0.0, clock=lambda: 1.0)


def test_it_needs_labels_only():
    assert checks["privacy.membership_labels"].facts.access is Access.LABELS
