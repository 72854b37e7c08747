import importlib

import pytest

from gambeson.supply.pickle_globals import Standing, _allowed, is_importable, judge_global
from tests.corpus.hostile_pickles import UNUSUAL


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("numpy", "dtype"),
        ("sklearn.ensemble._forest", "RandomForestClassifier"), ("sklearn.ensemble.forest", "RandomForestClassifier"),
        ("torch.nn.modules.linear", "Linear"), ("builtins", "set"),
        ("sklearn.compose._column_transformer", "ColumnTransformer"),
    ],
)  # fmt: skip
def test_what_frameworks_write_is_allowed(module, name):
    assert judge_global(module, name) is Standing.ALLOWED


@pytest.mark.parametrize(("module", "name"), UNUSUAL)
def test_nothing_unusual_is_allowed(module, name):
    assert judge_global(module, name) is not Standing.ALLOWED


@pytest.mark.parametrize(
    ("module", "name", "standing"),
    [
        ("os", "system", Standing.DANGEROUS), ("posixpath.sub", "x", Standing.DANGEROUS),
        ("mypackage", "Net", Standing.UNKNOWN), ("mypackage", "load", Standing.DANGEROUS),
        ("sklearnevil.ensemble", "RandomForestClassifier", Standing.UNKNOWN),
        ("collections", "OrderedDict.fromkeys", Standing.UNKNOWN), ("", "", Standing.UNKNOWN),
        ("torch.nn.modules.linear", "F.linear", Standing.UNKNOWN),
    ],
)  # fmt: skip
def test_the_rest_is_unknown_or_dangerous(module, name, standing):
    assert judge_global(module, name) is standing


def test_no_name_reaches_into_attributes():
    exact, families = _allowed()
    assert not [
        name for names in (*exact.values(), *(n for _, n in families)) for name in names if "." in name
    ]


@pytest.mark.parametrize(
    "module", ["builtins", "collections", "functools", "operator", "_codecs", "torch._utils", "numpy"]
)
def test_every_allowed_name_of_a_module_that_is_here_is_no_known_danger(module):
    found = importlib.import_module(module)
    names = {name for name in _allowed()[0][module] if hasattr(found, name)}
    assert names
    assert not names & {
        "eval",
        "exec",
        "compile",
        "getattr",
        "setattr",
        "open",
        "load",
        "attrgetter",
        "methodcaller",
    }


def test_words_are_importable_and_prose_is_not():
    assert is_importable("os.path", "join")
    assert not is_importable("mport os", "print(1)")
    assert not is_importable("", "x")
