"""Settings: read once, frozen; defaults < gambeson.toml < GAMBESON_* < flags."""

from gambeson.settings.checking import Source, build
from gambeson.settings.loading import load_settings, overlay
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
    "Source",
    "SuppressSettings",
    "ThreatSettings",
    "build",
    "config_schema",
    "load_settings",
    "overlay",
    "parse_duration",
    "parse_eps",
    "parse_severity",
]
