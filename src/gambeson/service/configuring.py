"""From settings to the command of an audit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from gambeson.audit.base import checks
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.service.commands import AuditCommand, Suppression
from gambeson.settings import Settings, SuppressSettings, ThreatSettings
from gambeson.settings.parsing import parse_duration, parse_eps, parse_severity


def to_command(settings: Settings) -> AuditCommand:
    """The audit that the settings describe.

    Raises:
        UsageError: Model or data is missing, or a value makes no sense.
    """
    model, data, audit = settings.model, settings.data, settings.audit
    for what, path in (("model", model.path), ("data", data.path)):
        if not path:
            raise UsageError(
                f"No {what} was given.",
                expected="gambeson audit MODEL --data DATA, or both in gambeson.toml",
                remedy="gambeson audit --help shows examples; gambeson init writes a gambeson.toml",
            )
    return AuditCommand(
        model=str(model.path),
        data=str(data.path),
        factory=model.factory,
        scores=model.scores,
        classes=model.classes,
        surrogate=model.surrogate,
        surrogate_factory=model.surrogate_factory,
        data_options=data.options,
        split=data.split,
        train_split=data.train_split,
        threats=tuple(_threat(t) for t in settings.threat or (ThreatSettings(),)),
        profile=audit.profile,
        samples=audit.samples,
        only=audit.only,
        skip=audit.skip,
        seed=audit.seed,
        time_budget=None if audit.time_budget is None else parse_duration(audit.time_budget),
        batch_size=audit.batch_size,
        jobs=audit.jobs,
        out=Path(audit.out),
        formats=audit.formats,
        fail_on=parse_severity(settings.gate.fail_on),
        thresholds=settings.gate.thresholds,
        suppressions=tuple(_suppression(s) for s in settings.suppress),
    )


def _threat(threat: ThreatSettings) -> ThreatModel:
    eps, unit = parse_eps(threat.eps)
    return ThreatModel(
        Norm.parse(threat.norm),
        eps,
        Access.parse(threat.access),
        threat.queries,
        threat.freeze,
        unit,
        threat.categories,
    )


def _suppression(item: SuppressSettings) -> Suppression:
    checks[item.finding.partition("@")[0]]  # a name with a slip in it would suppress nothing
    try:
        expires = date.fromisoformat(item.expires)
    except ValueError:
        raise UsageError(
            f"The suppression of {item.finding!r} expires on {item.expires!r}.", expected="a date, YYYY-MM-DD"
        ) from None
    return Suppression(item.finding, item.reason, expires.isoformat())
