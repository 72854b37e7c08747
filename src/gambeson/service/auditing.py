"""The audit use-case: open the model and the data, run the checks, decide the gate, write the reports."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from gambeson.adapters.executor_local import LocalProcesses
from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.robustness import choose_samples, clean_predictions
from gambeson.audit.base import PROFILES, CheckContext, CheckFacts, Effort, checks
from gambeson.audit.coverage import coverage
from gambeson.audit.gate import decide_gate, parse_rule
from gambeson.audit.report.writing import check_formats, write_reports
from gambeson.audit.result import AuditReport, Subject, Times
from gambeson.audit.runner import AuditClock, Task, run_tasks
from gambeson.core.errors import UsageError
from gambeson.core.finding import Finding, Outcome
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.data.sources import describe as describe_data
from gambeson.models.loading import describe as describe_model
from gambeson.models.loading import open_model
from gambeson.models.model import Differentiable, Model
from gambeson.models.passes import Passes
from gambeson.service.command_line import command_line, only
from gambeson.service.commands import AuditCommand, Suppression
from gambeson.service.interrupts import interrupts
from gambeson.service.journaling import open_journal

_REUSED = ".references"
"""Folder below the reports' for what later audits reuse; it may be deleted at any time."""


def run_audit(command: AuditCommand, progress: Progress) -> AuditReport:
    """Audit a model and write the reports into ``command.out``.

    The first interrupt (Ctrl-C) ends the attacks in order: the report then holds what was found so far and
    its gate is INCOMPLETE; ``resume`` goes on from there.

    Args:
        command: What to audit and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Refused: The model file is not safe to open.
        IntegrityError: A file is damaged or not what it claims to be.
        Unavailable: An optional package is missing, or the reports cannot be written.
        ModelError: The model does not answer, or answers with NaN.
    """
    started = datetime.now(UTC)
    effort = _effort(command)
    _check_command(command)
    check_formats(command.formats)
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    model = open_model(
        command.model,
        schema=data.schema,
        factory=command.factory,
        scores=command.scores,
        classes=command.classes,
    )
    _try_out(model, data, command, effort)
    surrogate = _open_surrogate(command, data)
    journal, resumed = open_journal(command, model.info.digest, data.digest)
    clock = AuditClock()
    begun = clock()
    tasks, left_out = _plan(command, model, data, effort, journal, progress)
    tasks = [replace(task, context=replace(task.context, surrogate=surrogate)) for task in tasks]
    with interrupts(clock):
        done = run_tasks(tasks, clock, begun + (command.time_budget or float("inf")), command.jobs)
    findings = _ordered(_suppress([f for d in done for f in d.findings], command.suppressions))
    report = AuditReport(
        tool=_version(),
        model=Subject(model.info.name, model.info.digest, describe_model(model)),
        data=Subject(data.name, data.digest, describe_data(data)),
        command=command_line(command),
        seed=command.seed,
        profile=command.profile,
        threats=tuple(str(threat) for threat in command.threats),
        environment=environment(),
        findings=findings,
        coverage=coverage(findings, left_out),
        gate=decide_gate(findings, command.fail_on, command.thresholds, interrupted=clock.interrupted),
        times=Times(
            started=started.isoformat(timespec="seconds"),
            seconds=(datetime.now(UTC) - started).total_seconds(),
            checks=tuple((t.context.check, d.seconds) for t, d in zip(tasks, done, strict=True)),
            resumed=resumed,
        ),
    )
    write_reports(report, command.out, command.formats)
    return report


def _effort(command: AuditCommand) -> Effort:
    if command.profile not in PROFILES:
        raise UsageError(f"Unknown profile {command.profile!r}.", expected=", ".join(PROFILES))
    effort = PROFILES[command.profile]
    return effort if command.samples is None else replace(effort, samples=command.samples)


def _check_command(command: AuditCommand) -> None:
    """What can be wrong before anything is opened."""
    if command.samples is not None and command.samples < 1:
        raise UsageError(f"{command.samples} samples were asked for.", expected="at least 1")
    if command.batch_size < 1:
        raise UsageError(f"The batch size is {command.batch_size}.", expected="at least 1")
    if command.jobs < 1:
        raise UsageError(f"{command.jobs} jobs were asked for.", expected="at least 1")
    if command.seed < 0:
        raise UsageError(f"The seed is {command.seed}.", expected="an integer of at least 0")
    for name, rule in command.thresholds:
        parse_rule(name, rule)
    known = {c.name for c in checks} | {c.facts.family.value for c in checks}
    for word in (*command.only, *command.skip):
        if word not in known | {"evasion", "privacy", "extraction", "poisoning"}:
            raise UsageError(f"Unknown check or family {word!r}.", expected=", ".join(sorted(known)))
    reasons = {c.name: _why_left_out(c.name, c.facts, command) for c in checks}
    if all(reasons.values()):
        # An open gate behind which nobody looked would be a lie.
        raise UsageError(
            "No check is left to run: " + "; ".join(sorted(set(reasons.values()))) + ".",
            expected="at least one of " + ", ".join(reasons),
        )


def _try_out(model: Model, data: Dataset, command: AuditCommand, effort: Effort) -> None:
    """Refuse a model that cannot answer on this data, or a threat it knows nothing of, before any work.

    Raises:
        ModelError: NaN, wrong shape or an exception on the samples that will be audited.
        UsageError: eps is beyond the input range, or a frozen feature is unknown.
    """
    for threat in command.threats:
        PerturbationSet.of(threat, data.schema)
    seed = Seed(command.seed).child("try-out")
    samples = choose_samples(data.split(command.split), min(effort.samples, 64), seed)
    clean_predictions(Passes(model, command.batch_size), samples)


def _open_surrogate(command: AuditCommand, data: Dataset) -> Model | None:
    """The other model that the attacker holds, if one was named.

    Raises:
        UsageError: It gives no gradients, or it does not fit the data.
    """
    if command.surrogate is None:
        if command.surrogate_factory is not None:
            raise UsageError(
                "A factory was given for a surrogate, but no surrogate.",
                expected="--surrogate MODEL beside --surrogate-factory",
            )
        return None
    model = open_model(
        command.surrogate,
        schema=data.schema,
        factory=command.surrogate_factory,
        classes=command.classes,
    )
    if not isinstance(model, Differentiable):
        raise UsageError(
            f"The surrogate {model.info.name} ({model.info.kind}) gives no gradients.",
            expected="a PyTorch model",
            remedy="leave --surrogate out: one is then trained on the answers of the target",
        )
    return model


def _plan(
    command: AuditCommand,
    model: Model,
    data: Dataset,
    effort: Effort,
    journal: FileJournal,
    progress: Progress,
) -> tuple[list[Task], dict[str, str]]:
    """The checks to run, threat by threat, and why the others are left out."""
    tasks: list[Task] = []
    left_out: dict[str, str] = {}
    executor = LocalProcesses(max((os.cpu_count() or 1) // command.jobs, 1))
    for entry in checks:
        reason = _why_left_out(entry.name, entry.facts, command)
        if reason:
            left_out[entry.name] = reason
            continue
        threats = [t for t in command.threats if t.access >= entry.facts.access]
        for number, threat in enumerate(threats if entry.facts.per_threat else threats[:1]):
            name = (
                entry.name
                if len(threats) == 1 or not entry.facts.per_threat
                else f"{entry.name}#{number + 1}"
            )
            context = CheckContext(
                check=entry.name,
                model=model,
                data=data,
                threat=threat,
                effort=effort,
                seed=Seed(command.seed).child(name),
                split=command.split,
                train_split=_train_split(command, data),
                command=only(command, entry.name, threat),
                rows_per_pass=command.batch_size,
                progress=progress,
                journal=journal,
                executor=executor,
                cache=FileJournal(command.out / _REUSED),
            )
            tasks.append(Task(entry.name, entry.facts, context))
    return tasks, left_out


def _why_left_out(name: str, facts: CheckFacts, command: AuditCommand) -> str:
    """Why a check does not run; empty where it does."""
    chosen = {name, facts.family.value}
    if (command.only and not chosen & set(command.only)) or chosen & set(command.skip):
        return "left out by --only or --skip"
    most = max(threat.access for threat in command.threats)
    return f"the threat model grants {most} access only" if facts.access > most else ""


def _train_split(command: AuditCommand, data: Dataset) -> str | None:
    """The split that holds the target's training records, or ``None`` where that is not known.

    Splits that were drawn when the data was opened say nothing about what the target was trained on, unless
    the user says so.
    """
    if command.train_split == "none":
        return None
    if command.train_split is not None:
        data.split(command.train_split)
        return command.train_split
    return "train" if "train" in data.splits and not data.drawn else None


def _suppress(findings: Sequence[Finding], suppressions: Sequence[Suppression]) -> list[Finding]:
    """Mark the findings that a suppression in force covers."""
    today = date.today().isoformat()
    in_force = {s.finding: s.reason for s in suppressions if s.expires >= today}
    return [
        replace(f, suppressed=in_force.get(f"{f.check}@{f.target}") or in_force.get(f.check, ""))
        for f in findings
    ]


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Worst first; what was not assessed after what was, suppressed ones last."""
    order = (Outcome.FAILED, Outcome.ERRORED, Outcome.PASSED, Outcome.NOT_ASSESSED)
    return tuple(
        sorted(
            findings,
            key=lambda f: (bool(f.suppressed), order.index(f.outcome), -f.severity.rank, f.check, f.target),
        )
    )


def _version() -> str:
    from gambeson import __version__

    return __version__


def environment() -> tuple[tuple[str, str], ...]:
    """What a run computed with, by name: versions, platform, threads."""
    import numpy
    import torch

    return (
        ("python", platform.python_version()),
        ("platform", f"{platform.system()} {platform.machine()}"),
        ("numpy", numpy.__version__),
        ("torch", str(torch.__version__)),
        ("threads", str(torch.get_num_threads())),
        ("processors", str(os.cpu_count())),
    )
