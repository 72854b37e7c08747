"""The use-case that looks for poisoned rows in a dataset, with trusted rows as the measure of what is usual."""

from __future__ import annotations

import csv
import io
import json
import shlex
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.poisoning.base import Build
from gambeson.audit.checks.poisoning_evidence import (
    class_table,
    detector_table,
    evidence_histogram,
    signature_histogram,
    suspicious_grid,
)
from gambeson.audit.report.sections_page import Section, SectionsPage, to_sections_page
from gambeson.audit.report.writing import unwritable
from gambeson.audit.result import Subject, Times
from gambeson.core.errors import UsageError
from gambeson.core.finding import Evidence
from gambeson.core.measurement import Measurement
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.data.sources import describe as describe_data
from gambeson.defenses.poisoning.base import detectors
from gambeson.defenses.poisoning.sample_scan import SampleScan, ScanPlan, scan_rows, work
from gambeson.models.factory import import_function

PAGE, JSON, ROWS = "inspect.html", "inspect.json", "flagged.csv"
_HINT = (
    "A row is flagged where its p-value is at most the stated rate of false alarms; p-values come from trusted rows "
    "that were mixed with the suspected ones and treated like them. Flags beyond that rate are what speaks for poison."
)
_CHANCE = 0.01


@dataclass(frozen=True, slots=True)
class InspectCommand:
    """What to look through, and what is trusted.

    Attributes:
        data: The dataset under suspicion.
        data_options: How to read it.
        split: That is looked through.
        trusted: Dataset with rows that are known to be clean; the same one where ``None``.
        trusted_split: Which of its splits.
        rate: Rate of false alarms; ``None`` for 1%, or as low as so many trusted rows can tell.
        epochs: Passes of each training.
        names: Detectors; all where empty.
        factory: Builds the networks; the default one where ``None``.
        seed: Of everything that is drawn.
        out: Folder for page, JSON and list of rows.
    """

    data: str
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "train"
    trusted: str | None = None
    trusted_split: str = "test"
    rate: float | None = None
    epochs: int = 4
    names: tuple[str, ...] = ()
    factory: str | None = None
    seed: int = 0
    out: Path = Path("gambeson-inspect")


@dataclass(frozen=True, slots=True)
class InspectRun:
    """What was found.

    Attributes:
        tool: Version of Gambeson.
        data: What was looked through.
        command: The command that repeats it.
        seed: Root of the seed tree.
        rate: Rate of false alarms.
        flagged: Share of rows that is flagged.
        expected: Share of trusted rows that the rate allows to be flagged.
        share: Estimated share of poisoned rows.
        chance: P-value of so many flags if no row were poisoned.
        rows: Numbers of the flagged rows in the split.
        detectors: That were run.
        left_out: ``(detector, reason)``.
        files: What was written.
        seconds: Wall-clock time.
    """

    tool: str
    data: Subject
    command: str
    seed: int
    rate: float
    flagged: Measurement
    expected: Measurement
    share: float
    chance: float
    rows: tuple[int, ...]
    detectors: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    seconds: float

    @property
    def poisoned(self) -> bool:
        """Whether more rows are flagged than chance explains."""
        return self.chance < _CHANCE


def inspect_data(command: InspectCommand, progress: Progress) -> InspectRun:
    """Look for poisoned rows and write page, JSON and a list of the flagged rows.

    Args:
        command: What, and what is trusted.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong, or the trusted rows are of another kind.
        InsufficientEvidence: Too few trusted rows for the rate of false alarms.
        ModelError: A training diverged.
        Unavailable: The folder cannot be written to.
    """
    begun, started = time.monotonic(), datetime.now(UTC)
    for name in command.names:
        _ = detectors[name]  # an unknown one is refused before anything long begins
    options = DataOptions.from_pairs(command.data_options)
    data = open_dataset(command.data, options=options)
    known = data if command.trusted is None else open_dataset(command.trusted, options=options)
    _require_same_kind(command, data, known)
    build: Build | None = import_function(command.factory) if command.factory else None
    plan = ScanPlan(
        command.rate,
        command.epochs,
        build,
        command.names,
        lambda done, said: progress.advance("inspect", done, said),
    )
    progress.start("inspect", work(plan))
    suspected, trusted = data.split(command.split), known.split(command.trusted_split)
    scan = scan_rows(
        suspected.take(np.arange(len(suspected))),
        trusted.take(np.arange(len(trusted))),
        data.schema,
        plan,
        Seed(command.seed).child("inspect"),
    )
    progress.finish("inspect")
    run = _run(command, data, scan, time.monotonic() - begun)
    _write(command, data, scan, run, started)
    return run


def inspect_line(command: InspectCommand) -> str:
    """A ``gambeson data inspect`` command that does the same again."""
    words = ["gambeson", "data", "inspect", command.data]
    for name, text in command.data_options:
        words += ["--data-option", f"{name}={text}"]
    words += [] if command.trusted is None else ["--trusted", command.trusted]
    words += [
        "--split",
        command.split,
        "--trusted-split",
        command.trusted_split,
    ]
    words += [] if command.rate is None else ["--fpr", f"{command.rate:g}"]
    words += ["--epochs", str(command.epochs)]
    words += ["--only", ",".join(command.names)] if command.names else []
    words += ["--factory", command.factory] if command.factory else []
    return shlex.join([*words, "--seed", str(command.seed)])


def _require_same_kind(command: InspectCommand, data: Dataset, known: Dataset) -> None:
    if command.trusted is None and command.split == command.trusted_split:
        raise UsageError(
            f"The split {command.split!r} is suspected and trusted at once.",
            expected="--trusted DATA, or another --trusted-split",
        )
    if data.schema.shape != known.schema.shape or data.schema.classes != known.schema.classes:
        raise UsageError(
            f"{known.name} has inputs of shape {known.schema.shape} and {len(known.schema.classes)} classes.",
            expected=f"{data.schema.shape} and the classes of {data.name}",
        )


def _run(command: InspectCommand, data: Dataset, scan: SampleScan, seconds: float) -> InspectRun:
    from gambeson import __version__

    return InspectRun(
        tool=__version__,
        data=Subject(data.name, data.digest, describe_data(data)),
        command=inspect_line(command),
        seed=command.seed,
        rate=scan.verdict.alpha,
        flagged=scan.flagged,
        expected=scan.expected,
        share=scan.share,
        chance=scan.chance,
        rows=tuple(np.flatnonzero(scan.verdict.flagged).tolist()),
        detectors=scan.verdict.names,
        left_out=scan.left_out,
        files=tuple(str(command.out / name) for name in (PAGE, JSON, ROWS)),
        seconds=seconds,
    )


def _write(
    command: InspectCommand, data: Dataset, scan: SampleScan, run: InspectRun, started: datetime
) -> None:
    page = _page(command, data, scan, run, started)
    try:
        write_whole(command.out / ROWS, _listed(scan, data).encode())
        write_whole(command.out / PAGE, to_sections_page(page).encode())
        write_whole(command.out / JSON, (json.dumps(asdict(run), indent=1, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise unwritable(command.out, error) from None


def _listed(scan: SampleScan, data: Dataset) -> str:
    """The flagged rows as CSV, the most suspicious first."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["row", "label", "p_value", "suspicion_nats", "leading_detector"])
    order = np.argsort(-scan.verdict.evidence, kind="stable")
    for row in order[scan.verdict.flagged[order]].tolist():
        label = data.schema.classes[int(scan.inspection.y[row])]
        lead = scan.verdict.names[int(scan.verdict.leading[row])]
        writer.writerow([row, label, f"{scan.verdict.p[row]:.6f}", f"{scan.verdict.evidence[row]:.3f}", lead])
    return stream.getvalue()


def _page(
    command: InspectCommand, data: Dataset, scan: SampleScan, run: InspectRun, started: datetime
) -> SectionsPage:
    signature, grid = signature_histogram(scan, data.schema), suspicious_grid(scan, data.schema)
    said = (
        f"about {run.share:.1%} of the rows look poisoned" if run.poisoned else "no more than chance explains"
    )
    evidence = Evidence(
        command=run.command,
        samples=run.flagged.n,
        method=" + ".join(run.detectors),
        facts=(("chance of so many flags if all rows were clean", f"{run.chance:.2g}"), *run.left_out),
        histograms=(evidence_histogram(scan), *(() if signature is None else (signature,))),
        tables=(detector_table(scan), class_table(scan, data.schema)),
        grids=() if grid is None else (grid,),
    )
    return SectionsPage(
        kind="Inspection of training data",
        title=f"{data.name}, split {command.split}",
        hint=_HINT,
        source=JSON,
        threat=f"poisoned rows at a false-positive rate of {run.rate:.2%}",
        model=Subject("networks trained for this inspection", "", ()),
        data=run.data,
        command=run.command,
        tool=run.tool,
        seed=run.seed,
        note="",
        sections=(Section("Flagged rows", said, (run.flagged, run.expected), evidence),),
        times=Times(started.isoformat(timespec="seconds"), run.seconds),
    )
