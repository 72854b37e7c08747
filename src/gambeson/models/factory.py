"""Functions named in a string: ``package.module:function`` or ``path/to/file.py:function``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from gambeson.core.errors import UsageError

_FORMS = "package.module:function, or path/to/file.py:function"


def import_function(reference: str) -> Callable[..., Any]:
    """The function that a reference names; modules of the current folder count too.

    Importing runs the module's code: only the caller may choose the reference, never a file or a request.

    Args:
        reference: ``package.module:function`` or ``path/to/file.py:function``.

    Raises:
        UsageError: The reference is malformed, its module cannot be imported or lacks the function.
    """
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"{reference!r} names no function.", expected=_FORMS)
    try:
        with _current_folder_first():
            module = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:
        raise UsageError(
            f"{reference!r} cannot be imported: {type(error).__name__}: {error}",
            expected=_FORMS,
            remedy="run from the folder that holds the package, and import it by hand to see the error",
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(
            f"{place} has no function {name!r}.",
            expected=_FORMS,
            remedy=f"define {name}() there, or correct the name",
        )
    return function  # type: ignore[no-any-return]


def call_factory(factory: Callable[[], Any], reference: str) -> Any:
    """What the factory builds.

    Raises:
        UsageError: It raised; the message names the factory and its exception.
    """
    try:
        return factory()
    except Exception as error:
        raise UsageError(
            f"The factory {reference} raised {type(error).__name__}: {error}",
            expected="a function without arguments that returns the untrained torch.nn.Module",
            remedy="call it by hand to see the whole traceback",
        ) from error


@contextmanager
def _current_folder_first() -> Iterator[None]:
    """Let the current folder be imported from; a console script does not have it on its path."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    name = f"gambeson_factory_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling of the module's classes look it up there
    spec.loader.exec_module(module)
    return module
