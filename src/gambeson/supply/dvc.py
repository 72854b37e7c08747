"""Files that DVC writes beside what it tracks: read, written, and compared with the data.

Source: DVC 3, ``.dvc`` files; MD5 is theirs: it tells versions apart, it proves nothing against an attacker.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from gambeson.core.errors import IntegrityError
from gambeson.supply.files import PlainFile, list_files, read_blocks
from gambeson.supply.tree import is_inside

_LINE = re.compile(r"(?:- |  )?(\w+): *(.*)")
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Tracked:
    """The one output of a ``.dvc`` file: its name beside the file, and MD5, with ``.dir`` for a folder."""

    path: str
    md5: str


def read_tracking(content: bytes) -> Tracked:
    """What a ``.dvc`` file tracks.

    Raises:
        IntegrityError: It is no such file, tracks several things, or leads elsewhere.
    """
    try:
        lines = content[:_LARGEST].decode("utf-8").splitlines()
    except UnicodeDecodeError:
        lines = []
    start = lines.index("outs:") if "outs:" in lines else len(lines)
    found: dict[str, str] = {}
    for line in lines[start + 1 :]:
        match = _LINE.fullmatch(line)
        if match is None or not line.startswith(("- ", "  ")):
            break
        if match[1] in found:
            raise IntegrityError("The .dvc file tracks several things.", expected="one output")
        found[match[1]] = match[2].strip("'\"")
    path, md5 = found.get("path", ""), found.get("md5", "")
    if not is_inside(path) or "/" in path or not re.fullmatch(r"[0-9a-f]{32}(\.dir)?", md5):
        raise IntegrityError("This is no .dvc file that can be read.", expected="outs: with md5 and path")
    return Tracked(path, md5)


def check_tracked(tracked: Tracked, path: Path) -> None:
    """Refuse data that are not what was tracked.

    Raises:
        IntegrityError: They were changed.
    """
    found, _, _ = _md5(path)
    if found != tracked.md5:
        raise IntegrityError(
            f"{path} was changed since DVC tracked it: {tracked.md5} then, {found} now.",
            remedy="dvc checkout brings the tracked state back, dvc add tracks the present one",
        )


def tracking_of(path: Path) -> bytes:
    """The ``.dvc`` file that ``dvc add`` writes for a file or folder."""
    md5, size, count = _md5(path)
    lines = ["outs:", f"- md5: {md5}", f"  size: {size}"]
    if path.is_dir():
        lines.append(f"  nfiles: {count}")
    return "\n".join([*lines, "  hash: md5", f"  path: {path.name}", ""]).encode()


def _md5(path: Path) -> tuple[str, int, int]:
    """DVC's digest of a file or folder, its bytes and its files."""
    files = list_files(path)
    size = sum(file.size for file in files)
    if not path.is_dir():
        return _file_md5(files[0]), size, 1
    listed = [{"md5": _file_md5(file), "relpath": file.name} for file in files]
    listed.sort(key=lambda item: item["relpath"])
    text = json.dumps(listed, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir", size, len(files)


def _file_md5(file: PlainFile) -> str:
    state = hashlib.md5(usedforsecurity=False)
    for block in read_blocks(file):
        state.update(block)
    return state.hexdigest()
