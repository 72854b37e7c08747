"""What ``gambeson attack --out`` writes: JSON, page, arrays, pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.robustness import Robustness
from gambeson.audit.report.sections_page import Section, SectionsPage, to_sections_page
from gambeson.core.errors import Unavailable
from gambeson.core.stats import proportion
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_evidence import threat_in_words
from gambeson.service.attack_pictures import export_pictures
from gambeson.service.attack_report import AttackReport, AttackRun, Picture

_HINT = (
    "Attacks give upper bounds of robustness: a stronger attack can only lower them. A pass is one answer of the model "
    "on one input, with or without its gradient."
)
_INTERRUPTED = "Interrupted: what fell until then counts; going on can only lower the robust accuracy."


def prepare_folder(folder: Path) -> None:
    """Make the folder before any work is done.

    Raises:
        Unavailable: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def write_attack(
    command: AttackCommand,
    run: AttackRun,
    found: Sequence[Robustness],
    passes: Passes,
    schema: Schema,
) -> AttackRun:
    """Write all files, the page and ``attack.json`` last.

    One attack's arrays and pictures stand in the folder itself, those of several each in a folder of its own.

    Returns:
        The run with what became of the pictures added.

    Raises:
        Unavailable: The folder cannot be written to, or Pillow is missing.
    """
    folder = command.out
    assert folder is not None
    reports = []
    try:
        for report, result in zip(run.attacks, found, strict=True):
            own = folder if len(found) == 1 else folder / report.attack
            write_whole(own / "adversarial.npz", _arrays(result))
            if command.png:
                made = export_pictures(own / "pictures", result, passes, schema, command)
                report = _with_pictures(report, made)
            reports.append(report)
        run = replace(run, attacks=tuple(reports))
        write_whole(folder / "attack.html", to_sections_page(_page(command, run)).encode())
        write_whole(folder / "attack.json", run.to_json().encode())
    except OSError as error:
        raise _unwritable(folder, error) from None
    return run


def _unwritable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"Cannot write into {folder}: {error.strerror}.", remedy="choose another --out")


def _arrays(found: Robustness) -> bytes:
    """Every attacked row with what was found, as a compressed npz."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        index=found.samples.index[found.attacked],
        x=found.samples.x.numpy()[found.attacked],
        y=found.samples.y.numpy()[found.attacked],
        x_adversarial=found.outcome.adversarial,
        fallen=found.outcome.fallen,
        distance=found.outcome.distance,
        queries=found.outcome.queries,
    )
    return stream.getvalue()


def _with_pictures(report: AttackReport, made: tuple[Picture, ...]) -> AttackReport:
    """The report with the pictures, and the share of them that still fool the model."""
    if not made:
        return report
    fool = proportion(
        "still_fools_as_png",
        sum(picture.still_fools for picture in made),
        len(made),
        detail="adversarial inputs once rounded to 8 bits",
    )
    return replace(report, pictures=made, measurements=(*report.measurements, fool))


def _page(command: AttackCommand, run: AttackRun) -> SectionsPage:
    comparison: tuple[Section, ...] = ()
    if run.comparison is not None:
        evidence = replace(run.evidence, tables=(run.comparison,))
        comparison = (Section("All attacks together", "", run.together, evidence),)
    return SectionsPage(
        kind="Attack on a machine-learning model",
        hint=_HINT,
        source="attack.json",
        title=f"{', '.join(command.attacks)} on {run.model.name}",
        threat=threat_in_words(command),
        model=run.model,
        data=run.data,
        command=run.command,
        tool=run.tool,
        seed=run.seed,
        note=_INTERRUPTED if run.interrupted else "",
        sections=(
            *comparison,
            *(
                Section(report.attack, "; ".join(report.cut), report.measurements, report.evidence)
                for report in run.attacks
            ),
        ),
        times=run.times,
    )
