"""The JSON of a torch.export program: operators and size expressions that its loader would turn into code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.scanner import Visit

_TARGET = re.compile(
    r"torch\.ops\.(aten|prims|prim|higher_order|quantized|quantized_decomposed|torchvision|inductor|rngprims|symm_mem)"
    r"\.[A-Za-z_]\w*(\.\w+)?"
    r"|torch\.sym_\w+|torch\._sym_\w+|_?operator\.\w+|math\.\w+|torch\.\w+|<built-in function \w+>"
)
_WRITES = re.compile(
    r"torch\.ops\.aten\.(from_file|save|_print|warn)|torch\.(load|save|hub|compile|from_file|utils)|__"
)
_EXPRESSION = re.compile(r"[\w\s()+\-*/%,<>=!&|~.']*")
_ATTRIBUTE = re.compile(r"[A-Za-z_)]\s*\.\s*[A-Za-z_]|__|\b(import|exec|eval|open|lambda|getattr)\b")
_MOST = 20


def judge_program(visit: Visit, value: Any) -> Iterator[Finding]:
    """Findings on a parsed program.

    Args:
        visit: The content that it lies in.
        value: JSON as Python values.
    """
    shown = 0
    pending: list[tuple[str, Any]] = [("", value)]
    while pending and shown < _MOST:
        key, item = pending.pop()
        if isinstance(item, dict):
            pending.extend((inner, below) for inner, below in item.items() if inner != "metadata")
        elif isinstance(item, list):
            pending.extend((key, below) for below in item)
        elif isinstance(item, str) and (fault := _fault(key, item)):
            shown += 1
            yield visit.hit("scan.torch.code", fault)


def _fault(key: str, text: str) -> str:
    if key == "target" and "." in text and (not _TARGET.fullmatch(text) or _WRITES.search(text)):
        return f"the operator {text[:120]!r}"
    if key == "expr_str" and (not _EXPRESSION.fullmatch(text) or _ATTRIBUTE.search(text)):
        return f"the size {text[:120]!r}"
    if key == "guards_code" and ("__" in text or "import" in text):
        return f"the guard {text[:120]!r}"
    if key in ("in_spec", "out_spec") and re.search(r'"type":\s*"(?!builtins\.|collections\.|null)', text):
        return f"the tree {text[:120]!r}" if "torch.utils._pytree" not in text else ""
    return ""
