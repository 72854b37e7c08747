"""Finds the line of a TOML file on which a key stands, for messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")


def line_of(text: str, key: str) -> int | None:
    """Line, counted from 1, of a key or of the nearest table or list around it.

    Args:
        text: Content of the file.
        key: Dotted key as in messages: ``audit.seed``, ``threat[1].norm``, ``audit.formats[2]``.

    Returns:
        The line, or ``None`` where neither the key nor anything around it stands in the file.
    """
    lines: dict[str, int] = {}
    for line, place in _places(text):
        parts = place.split(".")
        for end in range(1, len(parts) + 1):
            lines.setdefault(".".join(parts[:end]), line)
    while key:
        if key in lines:
            return lines[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _places(text: str) -> Iterator[tuple[int, str]]:
    """Line and dotted key of every table header and every key that begins a line."""
    table, count = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _plain(header[2])
            if header[1] == "[[":
                count[table] = count.get(table, -1) + 1
                table = f"{table}[{count[table]}]"
            yield number, table
        elif found := _KEY.match(line):
            yield number, ".".join(filter(None, (table, _plain(found[1]))))


def _plain(key: str) -> str:
    """A dotted key without quotes and blanks."""
    return ".".join(part.strip("\"'") for part in _PART.findall(key))
