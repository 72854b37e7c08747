"""The report as JSON: the format from which every other one can be rendered again."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np

from gambeson.audit.report.figures import valid_unicode
from gambeson.audit.result import SCHEMA_VERSION, AuditReport, Times
from gambeson.core.errors import IntegrityError, UsageError

_NO_TIMES = Times(started="", seconds=0.0)
_LARGEST = 256 << 20


def to_json(report: AuditReport) -> str:
    """The report as indented JSON that ends in a newline; the same report gives the same bytes.

    What UTF-8 cannot hold (the undecodable bytes of a file name) becomes a question mark.

    Raises:
        ValueError: A figure is not finite: that is a bug, never written down.
    """
    plain = msgspec.to_builtins(report, enc_hook=_plain_number, order="deterministic")
    packed = msgspec.json.encode(_writable(plain))
    return msgspec.json.format(packed, indent=1).decode() + "\n"


def from_json(text: str | bytes) -> AuditReport:
    """Read a report back.

    Raises:
        UsageError: It was written by a version with another layout.
        IntegrityError: It is not a report, or damaged.
    """
    if len(text) > _LARGEST:
        raise IntegrityError(f"A report of {len(text):,} bytes is larger than any Gambeson writes.")
    version = _version(text)
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise UsageError(
            f"The report has layout {version}; this Gambeson reads layout {SCHEMA_VERSION}.",
            remedy="use the Gambeson that wrote it, or run the audit again",
        )
    try:
        return msgspec.json.decode(text, type=AuditReport)
    except msgspec.MsgspecError as error:
        raise IntegrityError(
            f"The report is damaged: {error}.", remedy="run the audit again, or fetch the file again"
        ) from None


def without_times(report: AuditReport) -> AuditReport:
    """The report without anything that depends on the clock: equal for two runs with the same seed."""
    return replace(report, times=_NO_TIMES)


@functools.lru_cache
def report_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the report."""
    path = files("gambeson.audit.report") / "schemas" / "report.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def generate_schema() -> dict[str, Any]:
    """The JSON Schema that the types say; what is published is this, and a test keeps them in step."""
    schema = msgspec.json.schema(AuditReport)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gambeson audit report",
        "description": f"Layout {SCHEMA_VERSION} of report.json.",
    }
    return head | schema


def _version(text: str | bytes) -> str:
    try:
        value = json.loads(text)
        return str(value["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IntegrityError(
            "This is not a report of Gambeson.", expected="the report.json that an audit wrote"
        ) from None


def _plain_number(value: object) -> object:
    """NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a report")


def _writable(value: Any) -> Any:
    """The tree with text that UTF-8 can hold; a number that JSON cannot hold is a bug."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a figure of the report is not finite")
    if isinstance(value, str):
        return valid_unicode(value)
    if isinstance(value, dict):
        return {name: _writable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(item) for item in value]
    return value
