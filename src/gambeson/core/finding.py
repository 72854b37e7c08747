"""Findings: a claim, its outcome, the evidence behind it and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gambeson.core.measurement import Measurement
from gambeson.core.threat import Access


class Family(StrEnum):
    """The four families of attack (NIST AI 100-2e2025, sections 2.2 to 2.4)."""

    EVASION = "evasion"
    PRIVACY = "privacy"
    EXTRACTION = "extraction"
    POISONING = "poisoning"


class Outcome(StrEnum):
    """What came of asking. What was not looked at is an outcome too."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_ASSESSED = "NOT_ASSESSED"
    ERRORED = "ERRORED"


class Severity(StrEnum):
    """How bad a failed finding is; ``rank`` orders them."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (info) to 4 (critical)."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a :class:`Curve`; ``low`` and ``high`` are the 95% band, empty when there is none."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A named place on the x axis of a :class:`Curve` or :class:`Histogram`, drawn as an upright line."""

    name: str
    x: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A plot, as data; ``kind`` names it for programs: ``"robust_accuracy_by_eps"``, ``"roc"``, ...

    With ``steps`` a value holds until the next point, as counts do; else the points are joined by lines.
    """

    kind: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    x_log: bool = False
    y_log: bool = False
    marks: tuple[Mark, ...] = ()
    steps: bool = False


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One colour of :class:`Bars`: a value for each group.

    Attributes:
        name: For the legend.
        values: One for each group.
        low, high: Ends of the 95% interval of each; empty when there is none.
        n: Samples behind each; empty when that says nothing.
    """

    name: str
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    n: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side for each of some named groups, as data: accuracy by class, by corruption, ...

    Attributes:
        kind: Name for programs, e.g. ``"accuracy_by_class"``.
        title: Of the plot.
        x_label: What the groups are.
        y_label: What the values are.
        labels: Names of the groups, from left to right.
        series: One for each colour; as many values as there are labels.
    """

    kind: str
    title: str
    x_label: str
    y_label: str
    labels: tuple[str, ...]
    series: tuple[BarSeries, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often a value falls between two edges, as data.

    Attributes:
        kind: Name for programs, e.g. ``"distance"``.
        title: Of the plot.
        x_label: What is counted, with its unit.
        y_label: What a bar's height is.
        edges: Ascending; one more than there are counts.
        counts: Values in ``[edges[i], edges[i + 1])``; the last bin holds its upper edge, too.
        marks: Places to point out, e.g. the median.
    """

    kind: str
    title: str
    x_label: str
    y_label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a comparison, as data; ``None`` is a cell about which nothing is known.

    Attributes:
        kind: Name for programs, e.g. ``"stages"``.
        title: Above the table.
        head: Names of the columns; the first column names the rows.
        rows: As many cells as there are columns.
        note: What a reader must know to read it right; may be empty.
    """

    kind: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class AdversarialExample:
    """One original beside its adversarial version.

    Attributes:
        index: Row in the audited split.
        label: True class, by name.
        before: Predicted class on the original; ``before_confidence`` its probability in [0, 1].
        after: Predicted class on the adversarial input.
        distance: Size of the perturbation in the threat model's norm, in the threat model's unit.
        images: ``(original, perturbation, adversarial)`` as base64 PNG, for image-like inputs; else empty.
            The perturbation is centred on grey and stretched to full contrast.
        changes: ``(feature, original, adversarial)`` for tables; else empty.
    """

    index: int
    label: str
    before: str
    before_confidence: float
    after: str
    after_confidence: float
    distance: float
    images: tuple[str, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PictureGrid:
    """Pictures side by side, as data.

    Attributes:
        kind: Name for programs, e.g. ``"reconstructions"``.
        title: Above the grid.
        head: Names of the columns.
        labels: Names of the rows.
        rows: Base64 PNG, as many in each row as there are columns.
        note: What a reader must know to read it right; may be empty.
    """

    kind: str
    title: str
    head: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """On what a claim rests and how to repeat it.

    Attributes:
        command: The exact command that repeats the measurement.
        samples: Number of samples looked at.
        method: What was run, in words, with its parameters.
        facts: Further ``(name, value)`` pairs (queries spent, candidates refused on re-verification, ...).
        curves: Plots.
        examples: Adversarial examples to look at.
        bars: Bar charts.
        histograms: Histograms.
        tables: Comparisons.
        grids: Pictures side by side.
    """

    command: str = ""
    samples: int = 0
    method: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    curves: tuple[Curve, ...] = ()
    examples: tuple[AdversarialExample, ...] = ()
    bars: tuple[Bars, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    tables: tuple[Table, ...] = ()
    grids: tuple[PictureGrid, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of an audit.

    Attributes:
        check: Id of the check, e.g. ``"evasion.gradient"``.
        title: The claim in one line, e.g. ``"Falls to gradient attacks within linf 0.031"``.
        family: Which family of attack it speaks of.
        access: Access the attacker had, or ``None`` where access plays no part.
        outcome: One of the four outcomes.
        severity: How bad it is if ``FAILED`` (INFO otherwise).
        summary: One to three sentences for a reader who is not a specialist.
        reason: Why it was not assessed or errored; empty otherwise.
        remedy: What to do about it.
        target: What the claim is about, e.g. ``"linf eps=0.0314"``; with ``check`` it identifies the finding.
        measurements: The figures.
        evidence: What it rests on.
        taxonomy: Ids such as ``"atlas:AML.T0043"``, ``"nist:NISTAML.022"``, ``"owasp-ml:ML01:2023"``.
        cut: What was left out for lack of time; empty when nothing was.
        suppressed: Reason of the suppression that covers this finding, or empty.
    """

    check: str
    title: str
    family: Family
    access: Access | None
    outcome: Outcome
    severity: Severity = Severity.INFO
    summary: str = ""
    reason: str = ""
    remedy: str = ""
    target: str = ""
    measurements: tuple[Measurement, ...] = ()
    evidence: Evidence = Evidence()
    taxonomy: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    suppressed: str = ""

    def measurement(self, name: str) -> Measurement:
        """The figure called ``name``.

        Raises:
            KeyError: The finding has no such figure.
        """
        for item in self.measurements:
            if item.name == name:
                return item
        raise KeyError(name)
