"""The membership check finds what a model memorised, and says what it did not look at."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from gambeson.audit.base import CheckContext, Effort, checks
from gambeson.audit.checks.membership import privacy_membership
from gambeson.core.errors import InsufficientEvidence, ModelError
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import ArraySplit
from tests.membership_worlds import Nearest, dataset, records
from tests.tiny_models import ScoreModel

EFFORT = Effort(samples=10, steps=1, targets=1, queries=1, curve=(), references=4, records=300)
TRAIN, TEST = records(300, 1), records(300, 2)


class Notes:
    """Remembers progress."""

    def __init__(self):
        self.total, self.done = 0.0, 0.0

    def start(self, check, total):
        self.total = total

    def advance(self, check, done, note=""):
        self.done += done

    def finish(self, check, note=""):
        pass


class Kept(dict):
    """A journal in memory."""

    load = dict.get

    def save(self, key, arrays):
        self[key] = dict(arrays)


def context(model, train=TRAIN, test=TEST, **changes) -> CheckContext:
    base = CheckContext(
        check="privacy.membership",
        model=model,
        data=dataset(train, test),
        threat=ThreatModel(access=Access.SCORES),
        effort=EFFORT,
        seed=Seed(0).child("privacy.membership"),
        command="gambeson audit model --only privacy.membership",
    )
    return replace(base, **changes)


def audit(model, **changes):
    (finding,) = privacy_membership(context(model, **changes))
    return finding


def overfitted() -> Nearest:
    return Nearest(TRAIN.x, TRAIN.y)


def stranger() -> Nearest:
    return Nearest(records(300, 3).x, records(300, 3).y)


def frozen(model) -> ScoreModel:
    """The same answers from a model that cannot be trained anew."""
    return ScoreModel(model.scores, (6,), 4, "probabilities")


def test_an_overfitted_model_fails_with_high_severity():
    finding = audit(overfitted())
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert finding.measurement("auc").value > 0.9
    assert finding.measurement("rmia.auc").value > 0.9
    assert finding.measurement("loss_threshold.auc").value > 0.9
    assert finding.measurement("accuracy_gap").value > 0.5
    assert "DP-SGD" in finding.remedy
    assert "can be recognised" in finding.title


def test_a_model_trained_on_other_records_passes():
    finding = audit(stranger())
    assert (finding.outcome, finding.severity, finding.remedy) == (Outcome.PASSED, Severity.INFO, "")
    for name in ("auc", "rmia.auc", "loss_threshold.auc"):
        ends = finding.measurement(name).interval
        assert ends.low < 0.5 < ends.high


@pytest.mark.parametrize(("kind", "leaks"), [("tree", True), ("stump", False)])
def test_a_real_decision_tree_leaks_when_it_is_deep(kind, leaks):
    from sklearn.tree import DecisionTreeClassifier

    depth = None if kind == "tree" else 1
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(TRAIN.x, TRAIN.y)
    model = ScoreModel(lambda x: tree.predict_proba(x).astype(np.float32), (6,), 4, "probabilities")
    assert audit(model).outcome is (Outcome.FAILED if leaks else Outcome.PASSED)


def test_the_evidence_says_what_was_run_and_how_to_repeat_it():
    finding = audit(overfitted())
    facts = dict(finding.evidence.facts)
    assert finding.evidence.command == "gambeson audit model --only privacy.membership"
    assert finding.evidence.samples == 600
    assert (
        finding.evidence.method
        == "entropy + learnt + lira + loss_threshold + modified_entropy + quantile + rmia + shadow, seed 0"
    )
    assert (facts["members scored"], facts["reference models"]) == ("300", "4")
    assert facts["queries spent in all"] == "600"
    assert finding.taxonomy == ("atlas:AML.T0024.000", "nist:NISTAML.033", "owasp-ml:ML04:2023")
    assert [curve.kind for curve in finding.evidence.curves] == ["roc"]


def test_a_rate_that_so_few_nonmembers_cannot_show_is_named_as_missing():
    finding = audit(overfitted())
    assert "tpr_at_1pct_fpr" in {m.name for m in finding.measurements}
    assert "tpr_at_0.1pct_fpr" not in {m.name for m in finding.measurements}
    assert any("tpr_at_0.1pct_fpr" in line and "1000" in line for line in finding.cut)


def test_a_model_that_cannot_be_trained_anew_gets_the_loss_threshold_and_a_word_about_the_rest():
    finding = audit(frozen(overfitted()))
    assert finding.outcome is Outcome.FAILED
    assert finding.evidence.method.startswith("entropy + loss_threshold + modified_entropy + quantile,")
    assert "cannot be trained anew" in finding.summary
    assert any("cannot be trained anew" in line for line in finding.cut)
    assert "cannot be trained anew" in dict(finding.evidence.facts)["reference models"]


def test_references_that_cannot_be_trained_are_named_and_the_rest_is_still_run():
    class Stubborn(Nearest):
        def fit_new(self, x, y, seed):
            raise ModelError("Fitting raised ValueError: no")

    finding = audit(Stubborn(TRAIN.x, TRAIN.y))
    assert finding.outcome is Outcome.FAILED
    assert any("Fitting raised ValueError: no" in line for line in finding.cut)


def test_without_time_for_references_a_harmless_figure_is_no_pass():
    ticks = iter([0.0] + [100.0] * 99)
    timed = {"deadline": 50.0, "clock": lambda: next(ticks)}
    one_block = replace(EFFORT, records=250)
    assert audit(stranger(), effort=one_block, **timed).outcome is Outcome.NOT_ASSESSED
    ticks = iter([0.0] + [100.0] * 99)
    assert audit(overfitted(), effort=one_block, **timed).outcome is Outcome.FAILED


def test_time_that_runs_out_during_scoring_is_insufficient_evidence(monkeypatch):
    monkeypatch.setattr("gambeson.attacks.privacy.pool._ROWS_AT_ONCE", 64)
    with pytest.raises(InsufficientEvidence, match="64 of 600 records"):
        audit(overfitted(), deadline=0.0, clock=lambda: 1.0)


def test_time_that_runs_out_when_all_is_scored_costs_only_the_references():
    finding = audit(overfitted(), deadline=0.0, clock=lambda: 1.0)
    assert finding.outcome is Outcome.FAILED
    assert any("time ran out before two reference models" in line for line in finding.cut)


def test_the_same_seed_gives_the_same_finding_whatever_the_batch_size():
    assert (
        audit(overfitted()) == audit(overfitted(), rows_per_pass=8) == audit(overfitted(), rows_per_pass=512)
    )


def test_another_seed_draws_other_records():
    small = replace(EFFORT, records=100)
    one, two = (audit(frozen(stranger()), effort=small, seed=Seed(s)) for s in (0, 1))
    assert one.measurement("auc") != two.measurement("auc")


def test_a_resumed_audit_trains_nothing_twice_and_finds_the_same():
    journal, first, second = Kept(), overfitted(), overfitted()
    assert audit(first, journal=journal) == audit(second, journal=journal)
    assert (len(first.fits), len(second.fits)) == (4, 0)


def test_progress_reaches_its_plan():
    notes = Notes()
    audit(overfitted(), progress=notes)
    assert notes.done == notes.total > 0


def test_training_rows_among_the_audited_ones_are_left_out_and_counted():
    mixed = ArraySplit(np.concatenate([TRAIN.x[:50], TEST.x]), np.concatenate([TRAIN.y[:50], TEST.y]))
    finding = audit(stranger(), test=mixed)
    assert dict(finding.evidence.facts)["non-members left out as training records"] == "50"
    assert finding.measurement("auc").n == 600


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"train_split": None}, "no training split was named"),
        ({"train_split": "training"}, "has no split 'training'"),
        ({"train_split": "test"}, "training data and as audited data"),
        ({"test": TRAIN}, "300 rows of 'test' are also in the training split"),
        ({"test": records(19, 5)}, "300 training records and 19 others"),
        ({"train": ArraySplit(TRAIN.x, TRAIN.y + 1)}, "labels from 0 to 4"),
    ],
)
def test_what_cannot_be_measured_is_insufficient_evidence_with_its_reason(changes, reason):
    with pytest.raises(InsufficientEvidence, match=reason):
        audit(overfitted(), **changes)


def test_too_few_records_to_tell_are_no_pass():
    few = records(25, 8)
    remembers_some = Nearest(few.x[:7], few.y[:7])
    finding = audit(frozen(remembers_some), train=few, test=records(25, 9))
    assert finding.outcome is Outcome.NOT_ASSESSED
    assert "too few records" in finding.reason
    assert finding.measurement("auc").n == 50


def test_the_check_is_registered_for_score_access_once_per_audit():
    facts = checks["privacy.membership"].facts
    assert (facts.access, facts.per_threat) == (Access.SCORES, False)


def test_an_attack_without_its_package_is_said_to_be_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    finding = audit(overfitted())
    assert finding.outcome is Outcome.FAILED
    assert "learnt" not in finding.evidence.method
    assert any(cut.startswith("learnt was not run") and "gambeson[sklearn]" in cut for cut in finding.cut)


def test_another_audit_reuses_reference_models_and_finds_the_same():
    cache, first, second = Kept(), overfitted(), overfitted()
    for model in (first, second):
        model.info = replace(model.info, digest="sha256:1")
    assert audit(first, cache=cache) == audit(second, cache=cache)
    assert (len(first.fits), len(second.fits)) == (4, 0)


def test_the_most_exposed_rows_are_rows_of_the_training_split():
    finding = audit(Nearest(TRAIN.x[:40], TRAIN.y[:40]))
    (table,) = finding.evidence.tables
    rows = [int(str(row[0]).removeprefix("train[").removesuffix("]")) for row in table.rows]
    assert len(set(rows)) == 20
    assert np.mean(np.array(rows) < 40) > 0.9


def test_splits_that_differ_by_themselves_are_warned_of():
    other = ArraySplit(TEST.x + 1, TEST.y)
    finding = audit(frozen(overfitted()), test=other)
    assert finding.measurement("auc_without_model").value > 0.95
    assert "not alike" in finding.summary
    assert "not alike" not in audit(frozen(overfitted())).summary
