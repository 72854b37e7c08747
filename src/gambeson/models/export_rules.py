"""Rules that the JSON of a torch.export program must obey before torch turns it into Python code.

torch's own loader trusts the file: it evaluates size expressions with ``sympify`` (which is ``eval``),
resolves operators by attribute access, imports modules named in pytree contexts, and pastes names and
guards into generated source that it executes. Each rule closes one of these doors with a list of what is
allowed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any

from gambeson.core.errors import Refused

_WORD = re.compile(r"[A-Za-z0-9_.@+:\-]*")
"""Names of tensors, weights and devices: nothing that can call, quote, index or start a new statement."""

_TARGETS = re.compile(
    r"torch\.ops\.aten\.(?!from_file|save|_print|warn|Delete)"
    r"([A-Za-z]\w*|_[A-Za-z]\w*|__(and|or|xor|lshift|rshift)__)(\.(?!__)\w+)?"
    r"|torch\.ops\.prims\.[A-Za-z]\w*(\.(?!__)\w+)?"
    r"|torch\.ops\.higher_order\.(wrap_with_set_grad_enabled|wrap_with_autocast|cond)"
    r"|torch\.sym_(not|int|float|max|min|ite|sqrt)"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|neg|pow|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc|sqrt)",
    re.ASCII,
)
"""Operators of the tensor library and of arithmetic on sizes. ``aten::from_file`` can create files."""

_FUNCTIONS = {
    "Symbol", "Integer", "Mul", "Add", "Pow", "Max", "Min", "Mod", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And",
    "Or", "Not", "Abs", "floor", "ceiling", "FloorDiv", "ModularIndexing", "Where", "PythonMod", "CleanDiv",
    "CeilToInt", "FloorToInt", "CeilDiv", "PowByNatural", "FloatTrueDiv", "IntTrueDiv", "TruncToFloat",
    "TruncToInt", "RoundToInt", "ToFloat", "Identity",
}  # fmt: skip
_SYMBOL = re.compile(r"[A-Za-z]\w*", re.ASCII)
_SYNTAX = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.keyword,
    ast.Load, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip
_LONGEST_EXPRESSION = 500

_TREE_TYPES = {None, "builtins.tuple", "builtins.list", "builtins.dict"}


def checked_program(name: str, program: dict[str, Any]) -> dict[str, Any]:
    """The program without what it does not need (stack traces, guards), once every string obeys its rule.

    Args:
        name: The file, for messages.
        program: ``models/model.json`` of the archive, parsed.

    Raises:
        Refused: A string could become code that is not on the list.
    """
    program = {**_without_metadata(program), "guards_code": []}
    _check(name, program, "")
    return program


def check_words(name: str, value: object) -> None:
    """Hold every string of a JSON value to plain words.

    Raises:
        Refused: A string is more than a word.
    """
    _check(name, value, "")


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: {} if k == "metadata" else _without_metadata(v) for k, v in value.items()}
    return [_without_metadata(item) for item in value] if isinstance(value, list) else value


def _check(name: str, value: object, key: str) -> None:
    if isinstance(value, dict):
        for inner, item in value.items():
            _require(name, _is_word(inner), "name", inner)
            _check(name, item, inner)
    elif isinstance(value, list):
        for item in value:
            _check(name, item, key)
    elif isinstance(value, str):
        rule = _RULES.get(key, _is_word)
        _require(name, rule(value), key or "name", value)


def _require(name: str, allowed: bool, what: str, value: str) -> None:
    if not allowed:
        raise Refused(
            f"{name!r} holds the {what} {value[:120]!r}, which torch would turn into code.",
            expected="tensor operators, names, and arithmetic on sizes, as torch.export.save writes them",
            remedy="export the program again with torch.export from tensor operations alone, "
            "or give the weights as safetensors with --factory",
        )


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


def _is_target(text: str) -> bool:
    return _TARGETS.fullmatch(text) is not None


def _is_expression(text: str) -> bool:
    """Arithmetic on symbols: no attribute, no index, no string but a symbol's name, only known functions."""
    if len(text) > _LONGEST_EXPRESSION:
        return False
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, _SYNTAX) and _is_plain(node) for node in ast.walk(tree))


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool | int | float) or _is_symbol(node.value)
    if isinstance(node, ast.Pow):
        return False  # 9**9**9 never ends; sizes are written with Mul, or PowByNatural on symbols
    return not isinstance(node, ast.Name) or node.id in _FUNCTIONS or _is_size(node.id)


def _is_symbol(value: object) -> bool:
    return isinstance(value, str) and _SYMBOL.fullmatch(value) is not None


def _is_size(name: str) -> bool:
    """``s31``, ``u0``, ``zuf2``, and infinity as torch writes it."""
    return re.fullmatch(r"(s|u|zuf|zf|f)\d+|oo|int_oo", name, re.ASCII) is not None


def _is_tree(text: str) -> bool:
    """A pytree of tuples, lists and dicts; other types can name a module to import."""
    try:
        protocol, tree = json.loads(text)
        return protocol == 1 and _is_plain_tree(tree)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _is_plain_tree(tree: dict[str, Any]) -> bool:
    context = tree["context"] or "null"
    keys = json.loads(context)
    plain = keys is None or (isinstance(keys, list) and all(isinstance(k, str) and _is_word(k) for k in keys))
    return plain and tree["type"] in _TREE_TYPES and all(map(_is_plain_tree, tree["children_spec"]))


def _is_literal(text: str) -> bool:
    """An operator's own option ("mean", "ij,jk->ik"); torch quotes it."""
    return len(text) < 200


_RULES: dict[str, Callable[[str], bool]] = {
    "target": _is_target,
    "expr_str": _is_expression,
    "in_spec": _is_tree,
    "out_spec": _is_tree,
    "as_string": _is_literal,
    "as_strings": _is_literal,
}
