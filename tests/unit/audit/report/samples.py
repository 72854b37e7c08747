"""Reports for the tests: one like a real audit's, one full of hostile text."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from gambeson.audit.coverage import coverage
from gambeson.audit.gate import decide_gate
from gambeson.audit.result import AuditReport, Subject, Times
from gambeson.core.finding import (
    AdversarialExample,
    Curve,
    Evidence,
    Family,
    Finding,
    Outcome,
    Series,
    Severity,
)
from gambeson.core.stats import proportion
from gambeson.core.threat import Access


def picture(value: int = 100) -> str:
    """An 8 x 8 PNG as base64."""
    stream = io.BytesIO()
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


EVASION = Finding(
    check="evasion.gradient",
    title="Accuracy falls from 96.0% to 40.0% under linf eps=0.1, gradient access",
    family=Family.EVASION,
    access=Access.GRADIENT,
    outcome=Outcome.FAILED,
    severity=Severity.HIGH,
    summary="An attacker with gradients leaves 40.0%.",
    remedy="Train on adversarial examples.",
    target="linf eps=0.1",
    measurements=(
        proportion("robust_accuracy", 40, 100, better="higher"),
        proportion("clean_accuracy", 96, 100, better="higher"),
    ),
    evidence=Evidence(
        command="gambeson audit m.onnx --data 'my data.npz' --only evasion.gradient --seed 0",
        samples=100,
        method="pgd(10) → apgd-ce(50)",
        facts=(("queries spent in all", "1234"),),
        curves=(
            Curve(
                "robust_accuracy_by_eps",
                "Robust accuracy",
                "eps",
                "accuracy",
                (
                    Series("measured", (0.0, 0.1, 0.2), (0.96, 0.4, 0.0), (0.9, 0.3, 0.0), (0.98, 0.5, 0.04)),
                    Series("clean", (0.0, 0.2), (0.96, 0.96), reference=True),
                ),
            ),
            Curve(
                "success_by_queries",
                "Success by queries",
                "queries per input",
                "attack success rate",
                (Series("broken", (1.0, 10.0, 400.0), (0.1, 0.5, 0.58)),),
                x_log=True,
            ),
        ),
        examples=(
            AdversarialExample(
                4, "two", "two", 0.98, "one", 0.65, 0.1, images=(picture(), picture(), picture())
            ),
            AdversarialExample(7, "no", "no", 0.9, "yes", 0.8, 0.1, changes=(("age", "40", "47"),)),
        ),
    ),
    taxonomy=("atlas:AML.T0043.000", "nist:NISTAML.022"),
    cut=("square(2000) was stopped on 12 of 40 samples",),
)
MEMBERSHIP = Finding(
    check="privacy.membership",
    title="Training records are hard to recognise",
    family=Family.PRIVACY,
    access=Access.SCORES,
    outcome=Outcome.PASSED,
    measurements=(proportion("tpr_at_1pct_fpr", 12, 1000, better="lower"),),
    evidence=Evidence(
        curves=(
            Curve(
                "roc",
                "ROC",
                "fpr",
                "tpr",
                (
                    Series("rmia", (0.0, 0.01, 1.0), (0.0, 0.02, 1.0)),
                    Series("chance", (0.001, 1.0), (0.001, 1.0), reference=True),
                ),
                x_log=True,
                y_log=True,
            ),
        )
    ),
    taxonomy=("nist:NISTAML.033",),
)
ERRORED = replace(
    MEMBERSHIP,
    check="evasion.scores",
    family=Family.EVASION,
    outcome=Outcome.ERRORED,
    reason="RuntimeError: boom",
    measurements=(),
    evidence=Evidence(),
)
NOT_ASSESSED = replace(
    ERRORED,
    check="evasion.labels",
    access=Access.LABELS,
    outcome=Outcome.NOT_ASSESSED,
    title="How much accuracy is left against an attacker who sees labels?",
    reason="the model gives no labels",
)
ACCEPTED = replace(EVASION, target="linf eps=0.2", suppressed="hardening is planned", evidence=Evidence())


def report_of(*findings: Finding, **changes: object) -> AuditReport:
    """A report with these findings."""
    report = AuditReport(
        tool="0.1.0",
        model=Subject("models/m.onnx", "sha256:" + "a" * 64, (("framework", "ONNX"),)),
        data=Subject("my data.npz", "sha256:" + "b" * 64, (("rows in test", "100"),)),
        command="gambeson audit models/m.onnx --data 'my data.npz' --seed 0",
        seed=0,
        profile="quick",
        threats=("linf eps=0.1, gradient access",),
        environment=(("python", "3.11"),),
        findings=findings,
        coverage=coverage(findings, {}),
        gate=decide_gate(findings, Severity.HIGH, ()),
        times=Times("2026-01-02T03:04:05+00:00", 12.5, (("evasion.gradient", 8.0),)),
    )
    return replace(report, **changes)


def sample_report() -> AuditReport:
    """A report like a real audit's, with every outcome."""
    return report_of(EVASION, ERRORED, MEMBERSHIP, NOT_ASSESSED, ACCEPTED)


HOSTILE = '</script><img src=x onerror=alert(1)>\x00\x0b\ud800 & "quoted" \' ' + "long" * 500


def hostile_report() -> AuditReport:
    """A report in which every text comes from an attacker."""
    text = HOSTILE.replace("\ud800", "")
    bad = replace(
        EVASION,
        title=text,
        summary=text,
        remedy=text,
        target=text,
        suppressed="",
        cut=(text,),
        evidence=replace(EVASION.evidence, command=text, method=text, facts=((text, text),)),
    )
    return report_of(bad, model=Subject(text, "", ((text, text),)), command=text)
