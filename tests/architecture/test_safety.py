"""No call in the source can unpickle, evaluate or run what a file contains."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source_tree import all_imports, module_of, parse, python_files

UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
REQUIRED = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
FORBIDDEN = {"eval", "exec", "np.lib.format.read_array", "yaml.load", "torch.jit.load"}

EVERY_MODULE = pytest.mark.parametrize("path", python_files("src"), ids=module_of)


def calls(tree: ast.Module) -> list[ast.Call]:
    """Every call in a module."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@EVERY_MODULE
def test_no_module_imports_an_unpickler(path):
    assert not {name.partition(".")[0] for name in all_imports(parse(path))} & UNPICKLERS


@EVERY_MODULE
def test_every_loader_is_told_not_to_unpickle(path):
    for call in calls(parse(path)):
        if rule := REQUIRED.get(ast.unparse(call.func)):
            keyword, value = rule
            given = {k.arg: ast.unparse(k.value) for k in call.keywords}
            assert given.get(keyword) == repr(value), f"line {call.lineno}: {keyword}={value} is missing"


@EVERY_MODULE
def test_nothing_is_evaluated(path):
    assert not {ast.unparse(call.func) for call in calls(parse(path))} & FORBIDDEN
