"""Opens the journal of an audit: fresh, or the one to go on with when it belongs to the same audit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gambeson.adapters.files import write_whole
from gambeson.adapters.journal_files import FileJournal
from gambeson.audit.report.writing import unwritable
from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand

_FOLDER = ".journal"


def open_journal(command: AuditCommand, model_digest: str, data_digest: str) -> tuple[FileJournal, int]:
    """The journal, and how often the audit was resumed before and now.

    Raises:
        Unavailable: The disk is full.
        UsageError: The output folder cannot be written to; there is nothing to resume; or what is there
            belongs to another audit.
    """
    root = command.out / _FOLDER
    plan = _plan(command, model_digest, data_digest)
    resumed = 0
    if command.resume:
        resumed = _same_audit(root / "plan.json", plan, command.out) + 1
    try:
        if not command.resume:
            shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        write_whole(root / "plan.json", json.dumps({"plan": plan, "resumed": resumed}, indent=1).encode())
    except OSError as error:
        raise unwritable(command.out, error) from None
    return FileJournal(root), resumed


def _plan(command: AuditCommand, model_digest: str, data_digest: str) -> dict[str, str]:
    """All that decides what the journal's pieces hold."""
    from gambeson import __version__

    return {
        "gambeson": __version__,
        "model": model_digest,
        "data": data_digest,
        "data options": str(command.data_options),
        "split": command.split,
        "train split": str(command.train_split),
        "surrogate": f"{command.surrogate} {command.surrogate_factory}",
        "threat models": "; ".join(_exactly(threat) for threat in command.threats),
        "profile": command.profile,
        "samples": str(command.samples),
        "seed": str(command.seed),
    }


def _exactly(threat: ThreatModel) -> str:
    """All of a threat model, in words: a rounded radius would let another one pass."""
    unit = " of each feature's range" if threat.unit == "range" else ""
    queries = "any number of" if threat.queries is None else threat.queries
    frozen = ", ".join(sorted(threat.frozen)) or "nothing"
    return (
        f"{threat.norm} eps={threat.eps!r}{unit}, {threat.categories} categories, {threat.access} access, "
        f"{queries} queries, {frozen} frozen"
    )


def _same_audit(path: Path, plan: dict[str, str], out: Path) -> int:
    """How often the audit that ``path`` describes was resumed, if it is this one."""
    try:
        kept = json.loads(path.read_text())
        before, resumed = dict(kept["plan"]), int(kept["resumed"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"There is no audit to resume in {out}.", remedy="leave --resume out to start one"
        ) from None
    for name, value in plan.items():
        if before.get(name) != value:
            raise UsageError(
                f"The audit in {out} was made with another {name}: {before.get(name)}, now {value}.",
                remedy="give the same settings to resume it, or leave --resume out to start anew",
            )
    return resumed
