"""Makes a candidate of ``gambeson harden`` that says less of its scores, and judges what it still gives away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gambeson.audit.report.diff import FigureChange, compare_reports
from gambeson.audit.result import AuditReport
from gambeson.defenses.answers import answering
from gambeson.service.hardening_report import CLEAN, EXPOSURE
from gambeson.service.hardening_training import WEIGHTS, Made, Report, Scene, write_factory, write_weights
from gambeson.service.hardening_verdict import Verdict

LEAKS = ("privacy.membership_labels", "extraction.scores", "extraction.labels")
"""Checks that judge answers, beside membership inference from scores."""
_FACTORY = '''"""Builds the network of model.safetensors: the given one behind a change of its answers."""

from gambeson.defenses.answers import answering
from gambeson.models.factory import import_function


def build():
    return answering(import_function({{factory!r}})(), {kind!r}, {single!r}, {name!r}, dict({parameters}))
'''


def answering_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Put the change behind the network and write both; nothing is trained.

    Args:
        scene: What all recipes have in common.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned steps, steps made since, note)``.

    Raises:
        UsageError: A parameter is out of range.
        Unavailable: The package ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    parameters = scene.command.parameters_of(name)
    trainee = scene.network.trainee(fresh=False, seed=0)
    kind, single = trainee.answer.scores, trainee.answer.single
    module = answering(trainee.module, kind, single, name, parameters)
    write_weights(folder / WEIGHTS, replace(trainee, module=module))
    report(1, 1, "nothing to train")
    words = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    text = _FACTORY.format(kind=kind, single=single, name=name, parameters=words)
    return Made(
        steps=0,
        complete=True,
        parameters=tuple((key, str(value)) for key, value in parameters.items()),
        factory=write_factory(scene, folder, text),
        judge=judge_answers,
    )


def judge_answers(before: AuditReport, after: AuditReport) -> Verdict:
    """Whether copies or membership became harder by more than chance, none of them easier, and accuracy no worse."""
    changes = compare_reports(before, after).figures
    leaks = [change for change in changes if _leaks(change)]
    clean = [change for change in changes if change.name.endswith(f": {CLEAN}")][:1]
    words = [
        f"{change.name} from {change.before.value:.3g} to {change.after.value:.3g}"
        + (f" ({change.verdict})" if change.verdict in ("better", "worse") else "")
        for change in (*clean, *leaks)
    ]
    verdicts = [change.verdict for change in (*clean, *leaks)]
    improved = "better" in verdicts and "worse" not in verdicts
    return Verdict("; ".join(words) or "no leak was measured", improved=improved)


def _leaks(change: FigureChange) -> bool:
    """AUC of membership, and fidelity of a copy at the most queries, which stands first among its figures."""
    check, _, figure = change.name.partition(": ")
    if check.partition("@")[0].startswith("privacy.membership"):
        return figure == EXPOSURE
    return check.startswith("extraction.") and figure.startswith("fidelity_at_")
