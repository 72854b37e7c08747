"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source_tree import ROOT, parse, python_files

LINES_PER_FILE = 400
LINES_PER_FUNCTION = 60

FILES = python_files("src", "tests", "examples", "benchmarks")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_PER_FILE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_function_has_at_most_60_lines(path):
    functions = (node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef))
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: n for name, n in lengths.items() if n > LINES_PER_FUNCTION} == {}


@pytest.mark.parametrize("path", python_files("src"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_in_its_first_line_what_it_is(path):
    if parse(path).body:
        first = (ast.get_docstring(parse(path)) or "").partition("\n")[0]
        assert len(first) > 15
        assert first.endswith((".", ":", "?"))
