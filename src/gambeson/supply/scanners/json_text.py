"""JSON: Keras configurations, chat templates, XGBoost trees, torch.export programs, code to fetch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.chat_template import judge_template
from gambeson.supply.code_references import judge_targets
from gambeson.supply.keras_config import judge_config
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.torch_program import judge_program
from gambeson.supply.tree_indices import judge_xgboost

_LARGEST = 256 << 20
_KEYWORDS = (b"class_name", b"chat_template", b"auto_map", b"learner", b"graph_module", b"_target_", b"\\u")
_STRICT = (".keras", "config.json", "model.json", "schema.json")


@scanners.register(
    "json",
    ScannerFacts(
        (Format.JSON,), "Keras configurations, chat templates, trees, programs and remote code in JSON"
    ),
)
def scan_json(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a document that a framework would act on; other JSON is left alone."""
    content = visit.content
    if content.size > _LARGEST or not any(content.find(word) >= 0 for word in _KEYWORDS):
        return
    try:
        value = json.loads(content.read(0, content.size).decode("utf-8-sig"))
    except RecursionError:
        yield visit.hit("scan.json.broken", "it nests too deeply")
        return
    except ValueError as error:
        lines = [line for line in content.head.splitlines() if line.strip()]
        if visit.name.endswith(".json") and not (len(lines) > 1 and lines[0].endswith(b"}")):
            yield visit.hit("scan.json.broken", str(error))
        return
    yield from _judge(visit, value)


def _judge(visit: Visit, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        return
    if "graph_module" in value:
        yield from judge_program(visit, value)
    elif "learner" in value:
        yield from judge_xgboost(visit, value)
    else:
        yield from judge_config(visit, value)
    yield from judge_targets(visit, value)
    template = value.get("chat_template")
    for text in template if isinstance(template, list) else [template]:
        text = text.get("template") if isinstance(text, dict) else text
        if isinstance(text, str):
            yield from judge_template(visit, text, "chat_template")
    if isinstance(value.get("auto_map"), dict):
        yield visit.hit("scan.config.remote", ", ".join(map(str, value["auto_map"].values())))
