"""A real PostgreSQL server for a test, in a folder of its own, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_USER = "postgres"


def find_postgres() -> Path | None:
    """The folder of the server's programs, or ``None`` where it is not installed or nobody may run it."""
    if os.geteuid() == 0 and _USER not in {entry.pw_name for entry in pwd.getpwall()}:
        return None
    places = [Path(found).resolve().parent for name in ("initdb", "pg_ctl") if (found := shutil.which(name))]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """The URL of a database on a fresh server; it is stopped and deleted at the end."""
    programs = find_postgres()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="gpg") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        _run(programs / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "--no-sync")
        port = _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses= -c max_connections=20 -c shared_buffers=16MB"
        _run(programs / "pg_ctl", "-D", folder / "data", "-w", "-o", options, "-l", folder / "log", "start")
        try:
            yield f"postgresql://{_USER}@/postgres?host={folder}&port={port}"
        finally:
            _run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")


def _run(*words: object) -> None:
    """The server refuses to run as root."""
    prefix = (
        ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.geteuid() == 0 else []
    )
    subprocess.run([*prefix, *map(str, words)], check=True, capture_output=True, cwd="/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
