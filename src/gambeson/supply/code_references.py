"""Names of code in configurations that their loaders import and call: YAML's Python tags, Hydra's ``_target_``.

Source: CVE-2025-23304 (NeMo), CVE-2017-18342 and CVE-2020-1747 (PyYAML).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gambeson.core.finding import Finding
from gambeson.supply.pickle_globals import Standing, judge_global
from gambeson.supply.scanner import Visit

TARGET = "_target_"
_MOST = 20
_TAG = re.compile(r"!(?:<[^>\s]*>|[^\s,\[\]{}]+)")
_DIRECTIVE = re.compile(r"^%TAG\s+\S+\s+(\S+)", re.MULTILINE)
_ENTRY = re.compile(r"""_target_["']?\s*:\s*["']?([\w.]+)""")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")
_PYTHON = re.compile(r"^(?:!!|!<)?(?:tag:yaml\.org,2002:)?python/(\w+)")
_VALUES = frozenset(
    ("none", "bool", "bytes", "str", "unicode", "int", "long", "float", "complex", "list", "tuple", "dict")
)
_LOADERS = frozenset(
    ("torch", "numpy", "joblib", "pandas", "pip", "dill", "cloudpickle", "setuptools", "pkg_resources")
)
_LOADS = re.compile(r"(^|\.)(load|loads|main|run\w*|exec\w*|eval|read_pickle|from_file)$")


def judge_yaml(visit: Visit, text: str) -> Iterator[Finding]:
    """Findings on YAML as text; it is not parsed, so escapes and tags are read wherever they stand.

    Args:
        visit: The content that it lies in.
        text: All of it.
    """
    plain = _ESCAPE.sub(lambda match: chr(min(int(match[0][2:], 16), sys.maxunicode)), text)
    reasons = [reason for match in _TAG.finditer(plain) if (reason := _tagged(match[0]))]
    reasons += [
        f"the tag {match[1]}" for match in _DIRECTIVE.finditer(plain) if "python" in unquote(match[1])
    ]
    reasons += [match[1] for match in _ENTRY.finditer(plain) if _is_dangerous(match[1])]
    for reason in sorted(set(reasons))[:_MOST]:
        yield visit.hit("scan.config.code", reason)


def judge_targets(visit: Visit, value: Any) -> Iterator[Finding]:
    """Findings on every ``_target_`` of a parsed document.

    Args:
        visit: The content that it lies in.
        value: JSON as Python values.
    """
    names, pending = set[str](), [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())
            target = item.get(TARGET)
            if isinstance(target, str) and _is_dangerous(target):
                names.add(target)
    for name in sorted(names)[:_MOST]:
        yield visit.hit("scan.config.code", name)


def _tagged(tag: str) -> str:
    match = _PYTHON.match(unquote(tag))
    return f"the tag {tag[:80]}" if match and match[1] not in _VALUES else ""


def _is_dangerous(target: str) -> bool:
    """Whether a name is of the standard library and not known to be harmless, or loads files that can hold code.

    Classes of a project's own are what ``_target_`` is for: they say nothing.
    """
    module, _, name = target.rpartition(".")
    root = target.partition(".")[0]
    if judge_global(module, name) is Standing.ALLOWED:
        return False
    return root in sys.stdlib_module_names or (root in _LOADERS and bool(_LOADS.search(name)))
