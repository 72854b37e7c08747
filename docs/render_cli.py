"""Writes docs/reference/cli.md from what ``--help`` prints: python docs/render_cli.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from gambeson.interfaces.cli.app import app

PAGE = Path(__file__).parent / "reference" / "cli.md"
_PLAIN = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "TERM": "dumb", "NO_COLOR": "1"}


def names(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command that runs something, by the words that call it."""
    children = getattr(command, "commands", {})
    if not children:
        return [path]
    return [leaf for name, child in children.items() for leaf in names(child, (*path, name))]


def help_of(words: tuple[str, ...]) -> str:
    """What a command prints, without blanks at the ends of lines."""
    call = [sys.executable, "-m", "gambeson", *words, "--help"]
    plain = {**os.environ, **_PLAIN}
    said = subprocess.run(call, capture_output=True, text=True, check=True, env=plain)  # noqa: S603
    return "\n".join(line.rstrip() for line in said.stdout.splitlines()).strip("\n")


def main() -> None:
    """Write the page."""
    parts = ["# Command line", "What `--help` prints, command by command."]
    for words in [(), *names(typer.main.get_command(app))]:
        parts += [f"## {' '.join(('gambeson', *words))}", f"```text\n{help_of(words)}\n```"]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
