"""Commands: what a user asks of a use-case, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gambeson.core.finding import Severity
from gambeson.core.threat import ThreatModel


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding that the team accepts until a date.

    Attributes:
        finding: ``"<check>"`` or ``"<check>@<target>"``.
        reason: Why it is accepted; never empty.
        expires: ISO date after which it no longer counts.
    """

    finding: str
    reason: str
    expires: str


@dataclass(frozen=True, slots=True)
class AuditCommand:
    """All that an audit needs to know.

    Attributes:
        model: Path or URI of the model (``models.loading.open_model`` says which).
        data: Path or URI of the data (``data.sources.open_dataset`` says which).
        factory: ``package.module:function`` that builds the torch module for a state dict.
        scores: ``"logits"``, ``"probabilities"`` or ``None`` to find out.
        classes: Number of classes where the model cannot tell, or ``None``.
        surrogate: Path or URI of another model that the attacker holds, for transfer attacks, or ``None``.
        surrogate_factory: Builds the network of the surrogate where its file holds weights only.
        data_options: Options of the data source, as given (``label``, ``split``, ``bounds``, ...).
        split: The split that is attacked.
        train_split: Training records of the target, for membership inference: a split, ``"none"``, or
            ``None`` for ``train`` where the data comes with splits of its own.
        threats: Attackers; at least one.
        profile: ``quick``, ``standard`` or ``thorough``.
        samples: Overrides the profile's number of samples.
        only: Families or check ids to run; empty for all.
        skip: Families or check ids to leave out.
        seed: Root of the seed tree.
        time_budget: Seconds for the whole audit, or ``None``.
        batch_size: Samples per model pass; never changes a result.
        jobs: Checks run at the same time.
        out: Folder for the reports and the journal.
        formats: Report formats to write: ``json``, ``html``, ``sarif``, ``junit``.
        resume: Go on with the run that ``out`` holds.
        fail_on: Severity that closes the gate, or ``None`` for never.
        thresholds: Further gate rules, ``(measurement, rule)``.
        suppressions: Accepted findings.
    """

    model: str
    data: str
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    surrogate: str | None = None
    surrogate_factory: str | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    train_split: str | None = None
    threats: tuple[ThreatModel, ...] = (ThreatModel(),)
    profile: str = "standard"
    samples: int | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    seed: int = 0
    time_budget: float | None = None
    batch_size: int = 128
    jobs: int = 1
    out: Path = Path("gambeson-audit")
    formats: tuple[str, ...] = ("json", "html", "sarif", "junit")
    resume: bool = False
    fail_on: Severity | None = Severity.HIGH
    thresholds: tuple[tuple[str, str], ...] = ()
    suppressions: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class InitCommand:
    """All that writing a gambeson.toml needs to know.

    Attributes:
        model: Path or URI of the model.
        data: Path or URI of the data.
        data_options: Options of the data source, as given.
        factory: Builds the network for a weights file.
        classes: Number of classes, where the data does not show all of them.
        path: File to write; relative paths in it are relative to its folder.
        force: Overwrite an existing file.
    """

    model: str
    data: str
    data_options: tuple[tuple[str, str], ...] = ()
    factory: str | None = None
    classes: int | None = None
    path: Path = Path("gambeson.toml")
    force: bool = False
