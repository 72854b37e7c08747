"""Chat templates: Jinja that reaches for Python's internals, found in its syntax tree; nothing is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.scanner import Visit

_LONGEST = 1 << 20
_NAMES = frozenset([
    "cycler", "joiner", "lipsum", "self", "config", "request", "url_for", "get_flashed_messages", "import",
    "os",
])  # fmt: skip
_REACHING_FIELD = re.compile(r"\{[^{}\s]*[.\[]_")
"""A field of ``str.format`` that reaches for an attribute with an underscore."""


def judge_template(visit: Visit, text: str, where: str) -> Iterator[Finding]:
    """Findings on one template.

    Args:
        visit: The content that it lies in.
        text: The template.
        where: Name of the key that holds it.
    """
    from jinja2 import TemplateSyntaxError
    from jinja2.ext import do, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if "{{" not in text and "{%" not in text:
        return
    if len(text) > _LONGEST:
        yield visit.hit("scan.template.code", f"{where} has {len(text)} characters")
        return
    try:
        environment = ImmutableSandboxedEnvironment(extensions=[loopcontrols, do, _generation()])
        tree = environment.parse(text)
        reasons = sorted({reason for node in _walk(tree) if (reason := _reaches(node))})
    except TemplateSyntaxError as error:
        suspicious = "__" in text
        yield visit.hit(
            "scan.template.code" if suspicious else "scan.template.broken", f"{where}: {error.message}"
        )
        return
    for reason in reasons[:5]:
        yield visit.hit("scan.template.code", f"{where}: {reason}")


def _generation() -> Any:
    """The tag that marks what an assistant said; chat templates of training have it."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def _walk(node: Any) -> Iterator[Any]:
    pending = [node]
    while pending:
        item = pending.pop()
        yield item
        pending.extend(item.iter_child_nodes())


def _reaches(node: Any) -> str:
    """Why a node is no business of a chat template; empty where it is."""
    from jinja2 import nodes

    match node:
        case nodes.Getattr(attr=str(name)) if name.startswith("_") or name in (
            "mro",
            "func_globals",
            "gi_frame",
        ):
            return f"the attribute {name!r}"
        case nodes.Const(value=str(value)) if "__" in value and _is_dunder(value):
            return f"the text {value[:40]!r}"
        case nodes.Const(value=str(value)) if _REACHING_FIELD.search(value):
            return f"the text {value[:40]!r}"
        case nodes.Getattr(attr="format_map"):
            return "the method 'format_map'"
        case nodes.Getattr(node=text, attr="format") if not isinstance(text, nodes.Const | nodes.Name):
            return "the method 'format' of a computed text"
        case nodes.Getitem(arg=nodes.Concat() | nodes.Filter() | nodes.Call()):
            return "an item whose name is computed"
        case nodes.Name(name=str(name)) if name in _NAMES and node.ctx == "load":
            return f"the name {name!r}"
        case nodes.Filter(name="attr"):
            return "the filter 'attr'"
        case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
            return "another file"
    return ""


def _is_dunder(value: str) -> bool:
    """``__class__`` and the like, not a special token such as ``__start__`` among other text."""
    inner = value.strip("_ ")
    return (value.strip().startswith("__") and inner in _DUNDERS) or (
        inner in _DUNDERS and "__" + inner in value
    )


_DUNDERS = frozenset((
    "class", "base", "bases", "mro", "subclasses", "globals", "init", "import", "builtins", "dict",
    "getattribute", "getattr", "call", "self", "code", "closure", "func", "module", "reduce", "reduce_ex",
    "setattr", "delattr", "new", "loader", "spec",
))  # fmt: skip
