"""How an error reaches the user: one block on stderr, exit code 2."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.text import Text

from gambeson.core.errors import GambesonError

COULD_NOT_COMPLETE = 2


def show_error(error: GambesonError, *, as_json: bool = False) -> None:
    """Print what was given, what was expected and what to do.

    Args:
        error: What went wrong.
        as_json: Also print ``{"error": {...}}`` on stdout, for programs that read it.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "bold red"), error.message))
    if error.expected:
        console.print(Text.assemble(("expected: ", "bold"), error.expected))
    if error.remedy:
        console.print(Text.assemble(("fix: ", "bold green"), error.remedy))
    if as_json:
        body = {
            "kind": type(error).__name__,
            "message": error.message,
            "expected": error.expected,
            "remedy": error.remedy,
        }
        sys.stdout.write(json.dumps({"error": body}, indent=1) + "\n")


def show_unexpected(error: Exception) -> None:
    """Print an error that Gambeson did not foresee."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "bold red"), f"{type(error).__name__}: {error}"))
    console.print(
        "This is a bug in Gambeson. Run again with GAMBESON_DEBUG=1 for the traceback and report it."
    )
