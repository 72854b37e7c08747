"""Every module has a test file of its own, in the same place."""

from __future__ import annotations

from pathlib import PurePosixPath

from tests.architecture.source_tree import ROOT, SOURCE

# Modules without a test file, each with its reason. The list only shrinks: an entry that is not needed fails.
EXEMPT = {
    "core/ports.py": "protocols and their empty implementations",
    "models/model.py": "protocols; the implementations are tested",
    "audit/result.py": "values without behaviour",
}


def modules() -> set[str]:
    """Modules with code of their own, relative to src/gambeson."""
    return {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    }


def mirror(module: str) -> str:
    """Where a module's test file belongs, relative to tests/unit."""
    path = PurePosixPath(module)
    return (path.parent / f"test_{path.name}").as_posix()


def test_every_module_has_its_test_file():
    missing = {m for m in modules() if not (ROOT / "tests" / "unit" / mirror(m)).exists()}
    assert sorted(missing - EXEMPT.keys()) == []


def test_every_exemption_is_still_needed():
    needless = {m for m in EXEMPT if m not in modules() or (ROOT / "tests" / "unit" / mirror(m)).exists()}
    assert sorted(needless) == []


def test_every_unit_test_file_has_its_module():
    unit = ROOT / "tests" / "unit"
    expected = {mirror(m) for m in modules()}
    strays = {
        path.relative_to(unit).as_posix() for path in unit.rglob("test_*.py")
        if path.name not in ("test_init.py", "test_main.py")
    } - expected  # fmt: skip
    assert sorted(strays) == []
