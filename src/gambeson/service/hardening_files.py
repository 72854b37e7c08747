"""What ``gambeson harden`` writes beside models and audits: the comparison as page and JSON, and lineage records."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from gambeson.adapters.files import write_whole
from gambeson.audit.report.sections_page import Section, SectionsPage, to_sections_page
from gambeson.audit.report.writing import unwritable
from gambeson.core.reproduce import digest_bytes
from gambeson.service.auditing import environment
from gambeson.service.hardening_commands import HardenCommand, harden_line
from gambeson.service.hardening_report import Candidate, HardenRun, Training
from gambeson.service.hardening_training import Scene

PAGE, JSON = "harden.html", "harden.json"
_HINT = (
    "Every model is judged by the same audit on the same rows, none of which was trained on or used to choose weights. "
    "Attacks give upper bounds of robustness: a stronger attack can only lower them."
)


def write_harden(command: HardenCommand, run: HardenRun) -> None:
    """Write the page, and the JSON last.

    Raises:
        Unavailable: The folder cannot be written to.
    """
    try:
        write_whole(command.out / PAGE, to_sections_page(_page(run)).encode())
        write_whole(command.out / JSON, run.to_json().encode())
    except OSError as error:
        raise unwritable(command.out, error) from None


def lineage(scene: Scene, candidate: Candidate, training: Training) -> dict[str, object]:
    """Where a hardened model comes from: everything that decided its weights, by digest where there is one."""
    command = scene.command
    info = scene.model.info
    return {
        "model": {"file": candidate.model.name, "digest": candidate.model.digest},
        "made from": {
            "file": info.name,
            "digest": info.digest,
            "factory": getattr(scene.model, "factory", None),
            "weights": "new" if training.fresh else "its own",
        },
        "data": {
            "source": scene.data.name,
            "digest": scene.data.digest,
            "split": command.audit.train_split or "train",
            "rows": len(scene.split),
            "drawn": scene.data.drawn,
        },
        "recipe": asdict(training),
        "threat": repr(command.audit.threats[0]),
        "seed": command.audit.seed,
        "command": harden_line(command),
        "code": code_digest(),
        "environment": dict(environment()),
        "audit": candidate.audit,
    }


def code_digest() -> str:
    """``sha256:<hex>`` of Gambeson's own source, file by file in the order of their names."""
    root = Path(str(files("gambeson")))
    paths = sorted(root.rglob("*.py"))
    return digest_bytes(
        part for path in paths for part in (path.relative_to(root).as_posix().encode(), path.read_bytes())
    )


def _page(run: HardenRun) -> SectionsPage:
    verdicts = "; ".join(f"{c.name}: {c.verdict}" for c in run.candidates)
    return SectionsPage(
        kind="Hardening of a machine-learning model",
        title=f"{run.before.model.name}, hardened",
        hint=_HINT,
        source=JSON,
        threat=run.threat,
        model=run.before.model,
        data=run.data,
        command=run.command,
        tool=run.tool,
        seed=run.seed,
        note="Interrupted: --resume goes on with what is missing." if run.interrupted else "",
        sections=(
            Section("Before and after", verdicts, (), run.evidence),
            *(Section(c.name, _note(c), c.measurements, c.evidence) for c in (run.before, *run.candidates)),
        ),
        times=run.times,
    )


def _note(candidate: Candidate) -> str:
    if candidate.training is None:
        return ""
    back = "".join(f" Went back at step {step}: {why}." for step, why in candidate.training.returns)
    return f"{candidate.verdict}.{back}"
