"""The settings, one frozen value for each table of gambeson.toml; field names are the keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """``[model]``.

    Attributes:
        path: Model file, or ``python:module:function``.
        factory: ``module:function`` that builds the network for a weights file.
        scores: ``logits`` or ``probabilities``; found out where not given.
        classes: Number of classes, where the data does not show all of them.
        surrogate: Another model that the attacker holds, for transfer attacks; trained where not given.
        surrogate_factory: ``module:function`` that builds the network of the surrogate.
    """

    path: str | None = None
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    surrogate: str | None = None
    surrogate_factory: str | None = None


@dataclass(frozen=True, slots=True)
class DataSettings:
    """``[data]``.

    Attributes:
        path: Data file, folder, or ``builtin:digits``, ``builtin:breast_cancer``.
        split: Split that is attacked.
        train_split: The target's training records; ``none`` if unknown.
        options: How to read the data, e.g. ``label``, ``names``, ``header``.
    """

    path: str | None = None
    split: str = "test"
    train_split: str | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ThreatSettings:
    """``[[threat]]``: one attacker.

    Attributes:
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        eps: Radius: a number or fraction in input units (``"8/255"``), or a share of each feature's range
            (``"10%"``).
        access: ``labels``, ``scores`` or ``gradient``.
        queries: Most queries per sample; no limit where not given.
        freeze: Features that cannot be changed.
        categories: Most categories of a table's row that may change, beside what eps allows on its numbers.
    """

    norm: str = "linf"
    eps: str | float = "8/255"
    access: str = "gradient"
    queries: int | None = None
    freeze: tuple[str, ...] = ()
    categories: int = 0


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """``[audit]``.

    Attributes:
        profile: ``quick``, ``standard`` or ``thorough``.
        samples: Rows to attack; the profile's number where not given.
        seed: Same seed, same figures.
        time_budget: ``10m``, ``90s``, ``1h``; no limit where not given.
        only: Families or checks to run; all where empty.
        skip: Families or checks to leave out.
        batch_size: Most samples per model pass; changes no result.
        jobs: Checks run at the same time.
        out: Folder for the reports.
        formats: ``json``, ``html``, ``sarif``, ``junit``.
    """

    profile: str = "standard"
    samples: int | None = None
    seed: int = 0
    time_budget: str | float | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    batch_size: int = 128
    jobs: int = 1
    out: str = "gambeson-audit"
    formats: tuple[str, ...] = ("json", "html", "sarif", "junit")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """``[gate]``.

    Attributes:
        fail_on: Severity that closes the gate: ``never``, ``low``, ``medium``, ``high`` or ``critical``.
        thresholds: Rules such as ``"evasion.gradient.robust_accuracy" = ">= 0.4"``.
    """

    fail_on: str = "high"
    thresholds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SuppressSettings:
    """``[[suppress]]``: a finding that the team accepts until a date.

    Attributes:
        finding: ``<check>`` or ``<check>@<target>``.
        reason: Why it is accepted.
        expires: Last day on which it is, YYYY-MM-DD.
    """

    finding: str
    reason: str
    expires: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole of gambeson.toml."""

    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    threat: tuple[ThreatSettings, ...] = ()
    audit: AuditSettings = AuditSettings()
    gate: GateSettings = GateSettings()
    suppress: tuple[SuppressSettings, ...] = ()
