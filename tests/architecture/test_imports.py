"""Importing is cheap, and packages depend on each other downwards only."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.source_tree import (
    ROOT,
    SOURCE,
    all_imports,
    imports_on_load,
    module_of,
    parse,
    python_files,
)

HEAVY = {
    "PIL", "jsonschema", "lightgbm", "onnx", "onnxruntime", "pandas", "pyarrow", "safetensors", "scipy",
    "skops", "sklearn", "torch", "xgboost",
}  # fmt: skip
INTERFACE = {"jinja2", "msgspec", "rich", "typer"}

# Where formulas and the seam compute with tensors; nothing that starts quickly imports these modules.
TENSOR_MODULES = (
    "gambeson.attacks.", "gambeson.audit.checks.", "gambeson.certify.", "gambeson.defenses.", "gambeson.models.",
)  # fmt: skip

REPORT = "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"


def loaded_after(code: str) -> set[str]:
    """Top-level packages that a fresh process has loaded once it has run ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_gambeson_loads_no_framework():
    assert not loaded_after("import gambeson") & (HEAVY | INTERFACE)


def test_printing_the_version_loads_no_framework():
    assert not loaded_after("from gambeson.__main__ import main; main(['--version'])") & (HEAVY | INTERFACE)


def test_building_the_command_line_loads_no_framework():
    assert not loaded_after("import gambeson.interfaces.cli.app") & HEAVY


@pytest.mark.parametrize("path", python_files("src"), ids=module_of)
def test_a_framework_is_imported_inside_the_function_that_needs_it(path):
    loaded = {name.partition(".")[0] for name in imports_on_load(parse(path))}
    assert not loaded & (HEAVY - {"torch"} if module_of(path).startswith(TENSOR_MODULES) else HEAVY)


def test_packages_import_downwards_only():
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_only_the_seam_names_a_model_framework():
    frameworks = {"lightgbm", "onnx", "onnxruntime", "skops", "xgboost"}
    outside = (path for path in python_files("src") if SOURCE / "models" not in path.parents)
    used = {
        module_of(path): {name.partition(".")[0] for name in all_imports(parse(path))} for path in outside
    }
    assert {module: names & frameworks for module, names in used.items() if names & frameworks} == {}
