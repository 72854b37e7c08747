"""Relative paths of a configuration file: relative to its folder, whatever the current one is."""

from __future__ import annotations

import os
from pathlib import Path

_PYTHON = "python:"


def seen_from_here(path: str, folder: Path) -> str:
    """A path that a file in ``folder`` gives, as seen from the current folder; a URI stays as it is."""
    if path.startswith(_PYTHON):
        return _PYTHON + factory_from_here(path.removeprefix(_PYTHON), folder)
    return path if _is_fixed(path) else os.path.relpath(folder / path)


def seen_from(folder: Path, path: str) -> str:
    """A path that is given here, as a file in ``folder`` must write it; a URI stays as it is."""
    if path.startswith(_PYTHON):
        return _PYTHON + factory_from(folder, path.removeprefix(_PYTHON))
    return path if _is_fixed(path) else os.path.relpath(path, folder)


def factory_from_here(factory: str, folder: Path) -> str:
    """A factory ``file.py:function`` as seen from the current folder; ``module:function`` stays as it is."""
    file, _, function = factory.partition(":")
    return f"{seen_from_here(file, folder)}:{function}" if file.endswith(".py") else factory


def factory_from(folder: Path, factory: str) -> str:
    """A factory that is given here, as a file in ``folder`` must write it."""
    file, _, function = factory.partition(":")
    return f"{seen_from(folder, file)}:{function}" if file.endswith(".py") else factory


def _is_fixed(path: str) -> bool:
    """Whether a path means the same from everywhere: absolute, or a URI such as ``builtin:digits``."""
    return os.path.isabs(path) or ":" in path.split("/")[0]
