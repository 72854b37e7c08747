"""Importing is cheap, and packages depend on each other downwards only."""

from __future__ import annotations

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
INTERFACE = {"typer", "click", "rich", "jinja2"}

# Where formulas and the seam compute with tensors; nothing that starts quickly imports these modules.
TENSOR_MODULES = ("gambeson.attacks.", "gambeson.models.", "gambeson.audit.checks.")

LOADED_AFTER = "import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"


def loaded_after(statement: str) -> set[str]:
    """Top-level packages in a fresh process once ``statement`` has run."""
    code = LOADED_AFTER.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_gambeson_loads_no_framework():
    assert not loaded_after("import gambeson") & (HEAVY | INTERFACE)


def test_printing_the_version_loads_no_framework():
    statement = (
        "import gambeson.__main__ as m\ntry: m.main(['--version'])\nexcept SystemExit: pass\nimport sys"
    )
    code = (
        LOADED_AFTER.replace("{statement}; ", "\n" + statement + "\n").replace("{{", "{").replace("}}", "}")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(done.stdout.splitlines()[-1].split()) & HEAVY


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
