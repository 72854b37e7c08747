from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.base import checks
from gambeson.audit.checks.evasion import _judge
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.threat import Access, Norm, ThreatModel
from tests.unit.audit.checks.evasion_worlds import DATA, context, standing


def ask(check="evasion.gradient", **changes):
    (finding,) = checks[check].plugin(context(check, **changes))
    return finding


@pytest.mark.parametrize("check", ["evasion.gradient", "evasion.scores"])
@pytest.mark.parametrize("eps", [0.05, 0.25, 0.41])
def test_robust_accuracy_is_the_one_known_from_the_distances(check, eps):
    finding = ask(check, eps=eps)
    assert finding.measurement("robust_accuracy").value == pytest.approx(standing(eps))
    assert finding.measurement("clean_accuracy").value == 1
    assert finding.target == f"linf eps={eps}"
    assert finding.evidence.samples == 48


@pytest.mark.parametrize(
    ("kept", "access", "outcome", "severity"),
    [
        (0.9, Access.GRADIENT, Outcome.PASSED, Severity.INFO),
        (0.7, Access.GRADIENT, Outcome.FAILED, Severity.MEDIUM),
        (0.3, Access.GRADIENT, Outcome.FAILED, Severity.HIGH),
        (0.05, Access.GRADIENT, Outcome.FAILED, Severity.HIGH),
        (0.05, Access.SCORES, Outcome.FAILED, Severity.CRITICAL),
    ],
)
def test_severity_follows_from_what_is_left_and_what_the_attacker_needs(kept, access, outcome, severity):
    assert _judge(kept, access, finished=True) == (outcome, severity)


def test_a_pass_cut_short_is_no_pass_and_a_failure_stands():
    assert _judge(0.9, Access.GRADIENT, finished=False)[0] is Outcome.NOT_ASSESSED
    assert _judge(0.1, Access.GRADIENT, finished=False)[0] is Outcome.FAILED
    cut = ask(eps=0.01, deadline=0.0, clock=lambda: 1.0)
    assert cut.outcome is Outcome.NOT_ASSESSED
    assert "time ran out" in cut.reason
    assert any("pgd" in note for note in cut.cut)


@pytest.mark.parametrize(("check", "norm"), [("evasion.scores", Norm.L0), ("evasion.labels", Norm.L1)])
def test_less_access_under_another_norm_says_what_to_do(check, norm):
    pictures = replace(DATA, schema=replace(DATA.schema, features=()))
    with pytest.raises(Unavailable, match="second threat model"):
        ask(check, threat=ThreatModel(norm, 2.0), data=pictures)


@pytest.mark.parametrize(
    ("check", "norm", "stages"),
    [
        ("evasion.gradient", Norm.LINF, "apgd-probability_margin(10) → tabular(40)"),
        ("evasion.scores", Norm.LINF, "tabular(40) → square(40)"),
        ("evasion.scores", Norm.L0, "tabular(40)"),
        ("evasion.labels", Norm.LINF, "tabular_labels(40) → rays(40)"),
        ("evasion.labels", Norm.L1, "tabular_labels(40)"),
    ],
)
def test_tables_are_searched_for_rows_that_could_exist(check, norm, stages):
    found = ask(check, threat=ThreatModel(norm, 1.0))
    assert stages in found.evidence.method


@pytest.mark.parametrize(
    ("check", "norm", "attack"),
    [
        ("evasion.scores", Norm.LINF, "square"),
        ("evasion.scores", Norm.L2, "square"),
        ("evasion.labels", Norm.LINF, "rays"),
        ("evasion.labels", Norm.L2, "hopskipjump"),
    ],
)
def test_each_access_and_norm_has_its_attack_and_its_curve(check, norm, attack):
    found = ask(check, threat=ThreatModel(norm, 1.0 if norm is Norm.L2 else 0.3))
    assert attack in found.evidence.method
    assert found.outcome is Outcome.FAILED
    assert len(found.evidence.curves) == 2
