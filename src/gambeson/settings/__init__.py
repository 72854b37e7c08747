"""Settings: read once, frozen; defaults < gambeson.toml < GAMBESON_* < flags."""

from gambeson.settings.loading import load_settings
from gambeson.settings.parsing import parse_duration, parse_eps, parse_severity
from gambeson.settings.schema import config_schema
from gambeson.settings.values import (
    AuditSettings,
    DataSettings,
    GateSettings,
    ModelSettings,
    Settings,
    SuppressSettings,
    ThreatSettings,
)

__all__ = [
    "AuditSettings",
    "DataSettings",
    "GateSettings",
    "ModelSettings",
    "Settings",
    "SuppressSettings",
    "ThreatSettings",
    "config_schema",
    "load_settings",
    "parse_duration",
    "parse_eps",
    "parse_severity",
]
