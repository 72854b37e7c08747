"""How an error reaches the user: one block on stderr, exit code 2."""

from __future__ import annotations

import json
import os
import re
import sys

from rich.console import Console
from rich.text import Text

from gambeson.core.errors import GambesonError, Unavailable, missing_extra

COULD_NOT_COMPLETE = 2

# Import name of each optional package that is imported where its absence cannot be caught closer.
EXTRAS = {
    "PIL": "data",
    "cryptography": "trace",
    "fsspec": "remote",
    "lightgbm": "boosting",
    "mlflow": "mlflow",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "pandas": "data",
    "psycopg": "postgres",
    "pyarrow": "data",
    "safetensors": "torch",
    "skops": "sklearn",
    "sklearn": "sklearn",
    "torch": "torch",
    "xgboost": "boosting",
}

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def explain(error: Exception) -> GambesonError:
    """Any exception as an error that says what to do.

    Args:
        error: What a command raised.

    Returns:
        The error itself where Gambeson raised it; a missing extra, an error of the system or too little memory by
        name; anything else as the bug that it is.
    """
    match error:
        case GambesonError():
            return error
        case ModuleNotFoundError(name=str(name)) if name.partition(".")[0] in EXTRAS:
            package = name.partition(".")[0]
            return missing_extra(package, EXTRAS[package])
        case OSError(strerror=str(reason)):
            where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
            return Unavailable(
                f"{where}{reason}.", remedy="check that the path exists, is yours, and has room left"
            )
        case MemoryError():
            return Unavailable(
                "There is not enough memory.", remedy="give a smaller --batch-size, or fewer --samples"
            )
    return GambesonError(
        f"{type(error).__name__}: {error}",
        remedy="this is a bug in Gambeson: run again with --debug (or GAMBESON_DEBUG=1) and report the traceback",
    )


def show_error(error: GambesonError, *, as_json: bool = False) -> None:
    """Print what was given, what was expected and what to do.

    Args:
        error: What went wrong.
        as_json: Also print ``{"error": {...}}`` on stdout, for programs that read it.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "bold red"), _plain(error.message)))
    if error.expected:
        console.print(Text.assemble(("expected: ", "bold"), _plain(error.expected)))
    if error.remedy:
        console.print(Text.assemble(("fix: ", "bold green"), _plain(error.remedy)))
    if as_json:
        body = {
            "kind": type(error).__name__,
            "message": error.message,
            "expected": error.expected,
            "remedy": error.remedy,
        }
        sys.stdout.write(json.dumps({"error": body}, indent=1) + "\n")


def _plain(text: str) -> str:
    """Text without the control characters that would drive the terminal; lines stay lines."""
    return _CONTROL.sub(" ", text)
