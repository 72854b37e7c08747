"""Which names a pickle may import: a list of what frameworks write; everything else is unknown."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from importlib.resources import files

_DANGEROUS_MODULES = frozenset((
    "_aix_support", "_io", "_osx_support", "_pickle", "_posixsubprocess", "_pyrepl", "_thread",
    "aifc", "asyncio", "bdb", "builtins", "cProfile", "cffi", "cloudpickle", "code", "codecs", "codeop",
    "commands", "concurrent", "ctypes", "dill", "distutils", "doctest", "ensurepip", "ftplib", "gc",
    "getpass", "glob", "http", "idlelib", "imaplib", "imp", "importlib", "inspect", "io", "joblib", "lib2to3",
    "linecache", "logging", "marshal", "mmap", "modulefinder", "multiprocessing", "netrc", "nntplib", "nt",
    "ntpath", "operator", "os", "pdb", "pickle", "pip", "pkg_resources", "pkgutil", "platform", "popen2",
    "poplib", "posix", "posixpath", "profile", "pstats", "pty", "pydoc", "readline", "requests", "runpy",
    "setuptools", "shelve", "shutil", "signal", "site", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "sys", "sysconfig", "telnetlib", "tempfile", "test", "threading", "timeit", "tkinter",
    "trace", "turtle", "types", "typing", "unittest", "urllib", "urllib3", "venv", "webbrowser",
    "wsgiref", "xmlrpc", "zipapp", "zipfile", "zipimport", "__builtin__", "functools", "numpy.f2py",
    "numpy.testing", "numpy.distutils", "numpy.lib", "numpy.core._internal", "numpy.ctypeslib", "torch.hub",
    "torch.jit", "torch.fx", "torch._dynamo", "torch._inductor", "torch.utils", "torch.multiprocessing",
    "torch.distributed", "torch.serialization", "torch.package", "torch.ops", "torch.cuda",
))  # fmt: skip
_REACHING = re.compile(
    r"(^|[._])(eval|exec|execfile|system|popen\w*|spawn\w*|compile|__import__|import_module|getattr|setattr|"
    r"loads?|runstring|open|run\w*|call\w*|check_output|Popen|_ufunc_reconstruct|apply_along_axis)$"
)
_WORD = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class Standing(Enum):
    """What is known of an imported name."""

    ALLOWED = "allowed"
    UNKNOWN = "unknown"
    DANGEROUS = "dangerous"


def judge_global(module: str, name: str) -> Standing:
    """Whether a name is one that frameworks write, is known to be dangerous, or is unknown.

    Args:
        module: As the pickle gives it, e.g. ``"torch._utils"``.
        name: Within the module; a dotted one reaches into attributes and is never allowed.
    """
    exact, families = _allowed()
    if name in exact.get(module, ()):
        return Standing.ALLOWED
    if any(name in names and (module + ".").startswith(prefix) for prefix, names in families):
        return Standing.ALLOWED
    parents = module.split(".")
    known = any(".".join(parents[: n + 1]) in _DANGEROUS_MODULES for n in range(len(parents)))
    return Standing.DANGEROUS if known or _REACHING.search(name) else Standing.UNKNOWN


def is_importable(module: str, name: str) -> bool:
    """Whether both are words that an import could take: text that only looks like a pickle has others."""
    return bool(_WORD.fullmatch(module) and _WORD.fullmatch(name))


@cache
def _allowed() -> tuple[dict[str, frozenset[str]], tuple[tuple[str, frozenset[str]], ...]]:
    """Names by exact module, and names by the prefix of a family of modules."""
    text = (files("gambeson.supply") / "allowed_globals.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    exact: dict[str, frozenset[str]] = {}
    families: dict[str, frozenset[str]] = {}
    for block in "\n".join(lines).replace("\n    ", " ").splitlines():
        module, _, names = block.partition(": ")
        if module.endswith(".*"):
            families[module[:-1]] = frozenset(names.split())
        elif module:
            exact[module] = frozenset(names.split())
    return exact, tuple(families.items())
