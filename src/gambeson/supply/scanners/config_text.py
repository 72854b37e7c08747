"""Text that a loader acts on: YAML configurations and chat templates in files of their own."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.chat_template import judge_template
from gambeson.supply.code_references import judge_yaml
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_LARGEST = 16 << 20


@scanners.register(
    "config-text",
    ScannerFacts((Format.YAML, Format.TEMPLATE), "code that YAML names, and Jinja templates in files"),
)
def scan_config_text(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a document."""
    text = visit.content.read(0, _LARGEST).decode("utf-8-sig", "replace")
    if visit.format is Format.TEMPLATE:
        yield from judge_template(visit, text, visit.name)
    else:
        yield from judge_yaml(visit, text)
    if visit.content.size > _LARGEST:
        yield visit.hit("scan.config.code", f"only the first {_LARGEST >> 20} MiB were read")
