"""What the source imports is declared, pinned, and named rightly where it is missing."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache

import pytest

from tests.architecture.source_tree import ROOT, all_imports, module_of, parse, project, python_files

# Import name where it differs from the name of the distribution.
IMPORT_NAMES = {
    "dp-accounting": "dp_accounting",
    "mlflow-skinny": "mlflow",
    "pillow": "PIL",
    "python-pkcs11": "pkcs11",
    "scikit-learn": "sklearn",
    "xgboost-cpu": "xgboost",
}


def requirement_name(text: str) -> str:
    """``"scikit-learn>=1.5"`` -> ``"scikit-learn"``."""
    return re.match(r"[A-Za-z0-9_.-]+", text)[0].lower()


@cache
def extras() -> dict[str, set[str]]:
    """Import names that each extra installs; ``""`` is the base."""
    groups = {"": project()["dependencies"], **project()["optional-dependencies"]}
    names = {extra: {requirement_name(r) for r in listed} for extra, listed in groups.items()}
    return {extra: {IMPORT_NAMES.get(n, n) for n in listed} for extra, listed in names.items()}


def test_every_requirement_is_pinned():
    pins = dict(re.findall(r"^([a-z0-9_.-]+)==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    listed = [r for group in project()["optional-dependencies"].values() for r in group]
    names = {requirement_name(r) for r in listed + project()["dependencies"]} - {"gambeson"}
    assert names - pins.keys() == set()
    assert not any("+" in version or "/" in version for version in pins.values())


@pytest.mark.parametrize("path", python_files("src"), ids=module_of)
def test_every_imported_package_is_declared(path):
    runtime = {name for extra, names in extras().items() if extra not in ("dev", "docs") for name in names}
    used = {name.partition(".")[0] for name in all_imports(parse(path))} - {"", "gambeson"}
    assert used - runtime - sys.stdlib_module_names == set()


def test_every_declared_package_is_imported():
    declared = {
        name for extra, names in extras().items() if extra not in ("all", "dev", "docs") for name in names
    }
    used = {name.partition(".")[0] for path in python_files("src") for name in all_imports(parse(path))}
    assert declared - used == set()


@pytest.mark.parametrize("path", python_files("src"), ids=module_of)
def test_a_missing_package_is_answered_with_the_extra_that_installs_it(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("missing_extra"):
            package, extra = (a.value if isinstance(a, ast.Constant) else None for a in node.args)
            if package is not None and extra is not None:
                assert extra in extras()
                assert package in extras()[extra]


def test_all_names_every_runtime_extra():
    named = set(re.search(r"\[(.*)\]", project()["optional-dependencies"]["all"][0])[1].split(","))
    assert named == extras().keys() - {"", "all", "dev", "docs"}


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "src" / "gambeson" / "py.typed").exists()
