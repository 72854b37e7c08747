"""Where an archive's entries would land."""

from __future__ import annotations

import re

_DRIVE = re.compile(r"[A-Za-z]:")


def escapes(name: str) -> bool:
    """Whether unpacking an entry of this name could write outside the folder.

    Args:
        name: As the archive gives it; backslashes separate on some systems.
    """
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or bool(_DRIVE.match(name)) or "\0" in name
