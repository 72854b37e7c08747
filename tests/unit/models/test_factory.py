import sys

import pytest

from gambeson.core.errors import UsageError
from gambeson.models.factory import call_factory, import_function

SOURCE = "def build():\n    return 41\n\nVALUE = 3\n\ndef broken():\n    raise KeyError('width')\n"


def test_a_function_is_found_by_file_and_by_module_of_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "own_nets.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    assert import_function("own_nets.py:build")() == 41
    assert import_function(f"{tmp_path / 'own_nets.py'}:build")() == 41
    assert import_function("own_nets:build")() == 41
    assert sys.path == path
    del sys.modules["own_nets"]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("math", "names no function"),
        ("math:", "names no function"),
        (":sqrt", "names no function"),
        ("math:pi", "no function 'pi'"),
        ("math:nothing", "no function 'nothing'"),
        ("no_such_module_here:build", "ModuleNotFoundError"),
        ("nowhere.py:build", "FileNotFoundError"),
    ],
)
def test_a_bad_reference_is_a_usage_error(reference, said):
    with pytest.raises(UsageError, match=said):
        import_function(reference)


def test_a_module_that_raises_on_import_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("raise RuntimeError('no GPU')")
    with pytest.raises(UsageError, match=r"bad\.py:build.*RuntimeError: no GPU"):
        import_function(f"{tmp_path / 'bad.py'}:build")


def test_a_factory_that_raises_is_named_with_its_exception():
    with pytest.raises(UsageError, match="nets:broken raised ZeroDivisionError"):
        call_factory(lambda: 1 / 0, "nets:broken")
