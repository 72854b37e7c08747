"""What checks of changed inputs share: samples, halves, verdict, figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks.harness import Samples
from gambeson.audit.checks.evasion_sets import (
    Answer,
    Asked,
    ask_clean,
    conclude,
    halves,
    judge,
    noise_of,
    reporting,
    require_pictures,
    target_of,
)
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.models.passes import Passes
from tests.tiny_models import linear
from tests.unit.audit.checks.evasion_worlds import context


@pytest.mark.parametrize(
    ("kept", "access", "outcome", "severity"),
    [
        (0.9, Access.LABELS, Outcome.PASSED, Severity.INFO),
        (0.7, Access.LABELS, Outcome.FAILED, Severity.MEDIUM),
        (0.3, Access.LABELS, Outcome.FAILED, Severity.HIGH),
        (0.05, Access.LABELS, Outcome.FAILED, Severity.CRITICAL),
        (0.05, Access.GRADIENT, Outcome.FAILED, Severity.HIGH),
    ],
)
def test_severity_follows_from_what_is_left_and_what_the_attacker_needs(kept, access, outcome, severity):
    assert judge(kept, access, finished=True) == (outcome, severity)


def test_a_pass_cut_short_is_no_pass_and_a_failure_stands():
    assert judge(0.9, Access.LABELS, finished=False)[0] is Outcome.NOT_ASSESSED
    assert judge(0.1, Access.LABELS, finished=False)[0] is Outcome.FAILED


def test_the_samples_are_those_of_the_other_evasion_checks():
    asked, other = ask_clean(context()), ask_clean(context("evasion.scores", seed=Seed(0).child("x")))
    assert asked.samples.index.tolist() == other.samples.index.tolist()
    assert asked.right.all()


def test_too_few_samples_or_too_few_right_are_no_evidence():
    few = context()
    with pytest.raises(InsufficientEvidence, match="9 samples"):
        ask_clean(replace(few, effort=replace(few.effort, samples=9)))
    with pytest.raises(InsufficientEvidence, match="0 right"):
        ask_clean(replace(few, model=linear([[10.0], [0.0]], [-5.0, 0.0])))


def test_halves_share_no_sample_and_leave_none_out():
    fit, held = halves(ask_clean(context()), Seed(1))
    assert not set(fit.samples.index) & set(held.samples.index)
    assert sorted([*fit.samples.index, *held.samples.index]) == list(range(48))
    assert len(held.right) == len(held.samples) == 24


def test_a_half_that_is_too_small_is_no_evidence():
    small = context()
    with pytest.raises(InsufficientEvidence, match="8 samples"):
        halves(ask_clean(replace(small, effort=replace(small.effort, samples=17))), Seed(0))


def test_a_table_is_no_picture():
    with pytest.raises(Unavailable, match="Patches are defined on pictures only"):
        require_pictures(context(), "Patches are defined")


def test_wrong_needs_both_a_wrong_answer_and_an_allowed_input():
    passes = Passes(linear([[0.0], [10.0]], [0.0, -5.0]))
    samples = Samples(torch.tensor([[0.2]] * 3), torch.zeros(3, dtype=torch.int64), np.arange(3))
    asked = Asked(passes, samples, np.ones(3, bool))
    moved = torch.tensor([[0.9], [0.9], [0.1]])
    assert asked.wrong(moved, torch.tensor([True, False, True])).tolist() == [True, False, False]


def answer(asked, **changes):
    n = len(asked.samples)
    fooled, noise = np.zeros(n, bool), np.zeros(n, bool)
    fooled[:36], noise[:12] = True, True
    return replace(
        Answer(asked, fooled, noise, "here", "this change", "noise", "method", "do something"), **changes
    )


def test_the_finding_holds_attack_and_baseline_side_by_side():
    asked = ask_clean(context())
    finding = conclude(context(), answer(asked))
    values = {m.name: (m.value, m.n) for m in finding.measurements}
    assert values == {
        "robust_accuracy": (0.25, 48),
        "clean_accuracy": (1.0, 48),
        "random_accuracy": (0.75, 48),
        "attack_success_rate": (0.75, 48),
        "random_success_rate": (0.25, 48),
    }
    assert all(m.interval.low <= m.value <= m.interval.high for m in finding.measurements)
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert finding.remedy == "do something"
    assert "this change leaves 25.0%, noise leaves 75.0%" in finding.summary


def test_samples_that_were_wrong_before_are_nobodys_success():
    asked = ask_clean(context())
    wrong = replace(asked, right=np.arange(48) >= 24)
    finding = conclude(context(), answer(wrong))
    assert finding.measurement("attack_success_rate").value == 0.5
    assert finding.measurement("robust_accuracy").value == 0.25


def test_where_noise_does_more_harm_it_decides():
    asked = ask_clean(context())
    found = answer(asked)
    finding = conclude(context(), replace(found, fooled=found.noise, noise=found.fooled))
    assert finding.measurement("robust_accuracy").value == 0.75
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert "What is random does more harm" in finding.summary
    assert finding.title == "Accuracy falls from 100.0% to 25.0% under noise"
    assert "What is random" not in conclude(context(), found).summary


def test_a_ceiling_holds_and_a_cut_pass_is_not_assessed():
    asked = ask_clean(context())
    assert conclude(context(), answer(asked), ceiling=Severity.LOW).severity is Severity.LOW
    none = np.zeros(48, bool)
    harmless = answer(asked, fooled=none, noise=none, cut=("half",))
    finding = conclude(context(), harmless)
    assert finding.outcome is Outcome.NOT_ASSESSED
    assert finding.reason
    assert finding.remedy == ""


def test_the_target_names_norm_radius_and_unit():
    assert target_of(ThreatModel(eps=0.25)) == "linf eps=0.25"
    assert target_of(ThreatModel(eps=0.1, unit="range")) == "linf eps=0.1 of range"


def test_noise_belongs_to_the_sample_and_progress_counts_what_broke():
    asked = ask_clean(context())
    part = asked.select(np.array([3, 7]))
    assert torch.equal(noise_of(context(), asked).keys[[3, 7]], noise_of(context(), part).keys)
    said = []

    class Notes:
        def advance(self, check, done, note=""):
            said.append((done, note))

    report = reporting(context(progress=Notes()), "working")
    report(5, 0)
    report(4, 2)
    assert said == [(5, "working"), (4, "2 broken")]
