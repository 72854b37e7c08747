"""Gambeson: layered defence for machine-learning models.

Public names are resolved on first use, so that ``import gambeson`` touches no file and loads no framework.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "Access": "gambeson.core.threat",
    "AuditCommand": "gambeson.service.commands",
    "AuditReport": "gambeson.audit.result",
    "DataOptions": "gambeson.data.sources",
    "Dataset": "gambeson.data.dataset",
    "Evidence": "gambeson.core.finding",
    "Family": "gambeson.core.finding",
    "Finding": "gambeson.core.finding",
    "GambesonError": "gambeson.core.errors",
    "Interval": "gambeson.core.measurement",
    "Measurement": "gambeson.core.measurement",
    "Model": "gambeson.models.model",
    "Norm": "gambeson.core.threat",
    "Outcome": "gambeson.core.finding",
    "Robustness": "gambeson.attacks.robustness",
    "Schema": "gambeson.data.schema",
    "Severity": "gambeson.core.finding",
    "ThreatModel": "gambeson.core.threat",
    "callable_model": "gambeson.models.callable_model",
    "open_dataset": "gambeson.data.sources",
    "open_model": "gambeson.models.loading",
    "run_attacks": "gambeson.attacks.robustness",
    "run_audit": "gambeson.service.auditing",
    "stage": "gambeson.attacks.ensemble",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'gambeson' has no attribute {name!r}")
    value: object = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
