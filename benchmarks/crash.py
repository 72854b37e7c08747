"""Kills a writer of the store at random moments and checks that nothing acknowledged is lost.

``python -m benchmarks.crash --kills 200`` does so with SQLite, and with PostgreSQL where its programs are installed;
``--commits 1000`` lets two writers append to one ledger at the same time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gambeson.service.promoting import promote
from gambeson.service.tracing import Places, Workspace, open_workspace
from gambeson.service.verifying import verify_store
from gambeson.service.versioning import AddCommand, add_version, sweep
from gambeson.supply.keyring import Keyring, TrustedKey
from gambeson.supply.keys import PrivateKey, make_key, open_private_key
from gambeson.supply.versions import Kind

_FRESH = 20
"""Kills of one store; then a new one, or checking would take longer each time."""


@dataclass
class Outcome:
    """What the kills came to."""

    kills: int = 0
    acknowledged: int = 0
    problems: list[str] = field(default_factory=list)


def run_kills(root: Path, kills: int, seed: int, ledger: Callable[[int], str] = lambda _: "") -> Outcome:
    """Kill a writer so many times; after each kill check the store, the ledger and every acknowledged fact.

    Args:
        root: An empty folder.
        kills: How many.
        seed: Of the moments.
        ledger: URI of the ledger for the n-th store.
    """
    rng = random.Random(seed)
    outcome = Outcome()
    pem, public = make_key()
    key = open_private_key("env:KEY", {"KEY": pem.decode()})
    keyring = root / "keys.json"
    keyring.write_bytes(Keyring((TrustedKey("clerk", public.pem),)).to_json())
    acknowledged: list[str] = []
    warm = open_workspace(
        Places(root / "warm", "", keyring), create=True
    )  # else most kills would hit imports
    _write(warm, key, rng, root / "warm.bin", lambda _: None)
    for kill in range(kills):
        if kill % _FRESH == 0:
            acknowledged = []
        number = kill // _FRESH
        places = Places(root / f"store{number}", ledger(number), keyring)
        new = _kill_once(places, key, rng)
        acknowledged += new
        outcome.kills += 1
        outcome.acknowledged += len(new)
        outcome.problems += _check(places, acknowledged, swept=kill % 5 == 4)
    return outcome


def run_writers(places: Places, commits: int, writers: int = 2) -> tuple[int, float]:
    """Several processes append to one ledger; returns its length and the seconds that it took."""
    start = time.perf_counter()
    children = []
    for name in range(writers):
        child = os.fork()
        if child == 0:
            registry = open_workspace(places, create=True).registry
            for i in range(commits):
                registry.ledger.append(f"writer{name}", "note", lambda i=i: {"i": i})
            os._exit(0)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * writers, codes
    entries = open_workspace(places, create=True).registry.ledger.entries()
    for name in range(writers):
        assert [e.body["i"] for e in entries if e.by == f"writer{name}"] == list(range(commits))
    return len(entries), time.perf_counter() - start


def _kill_once(places: Places, key: PrivateKey, rng: random.Random) -> list[str]:
    """Let a process import, add and promote until it is killed; what it acknowledged before."""
    reader, writer = os.pipe()
    seed, delay = rng.randrange(1 << 30), rng.uniform(0.0, 1.5)
    child = os.fork()
    if child == 0:
        os.close(reader)
        _write_for_ever(places, key, random.Random(seed), writer)
    os.close(writer)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as said:
        return [line for line in said.read().decode().split("\n")[:-1] if line]


def _write_for_ever(places: Places, key: PrivateKey, rng: random.Random, acknowledge: int) -> None:
    space = open_workspace(places, create=True)
    with tempfile.TemporaryDirectory() as name:
        while True:
            _write(
                space, key, rng, Path(name) / "data.bin", lambda line: os.write(acknowledge, line.encode())
            )


def _write(
    space: Workspace, key: PrivateKey, rng: random.Random, path: Path, say: Callable[[str], object]
) -> None:
    """One import, one commit of a model, one promotion; each is told as soon as it is done."""
    path.write_bytes(rng.randbytes(rng.randrange(1, 300_000)))
    data = add_version(space, AddCommand(Kind.DATASET, "people", path, raw=True), key).version
    say(f"version {data.ref} {data.digest[1]}\n")
    model = add_version(space, AddCommand(Kind.MODEL, "churn", path, inputs=(data.ref,)), key).version
    say(f"version {model.ref} {model.digest[1]}\n")
    move = promote(space, model.ref, "production", key=key, override="drill").move
    assert move is not None
    say(f"alias {model.ref} {move.entry.number}\n")


def _check(places: Places, acknowledged: list[str], *, swept: bool) -> list[str]:
    space = open_workspace(places, create=True)
    problems = list(verify_store(space).problems)
    if swept:
        sweep(space)
        problems += verify_store(space).problems
    return problems + [f"lost: {line}" for line in acknowledged if not _is_there(space, line)]


def _is_there(space: Workspace, line: str) -> bool:
    kind, ref, fact = line.split(" ")
    if kind == "version":
        version = space.registry.version(ref)
        return version.digest[1] == fact
    entry = space.registry.ledger.entries()[int(fact)]
    return entry.kind == "alias" and f"{entry.body['name']}@{entry.body['number']}" == ref


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _report("SQLite", run_kills(_made(Path(name) / "kills"), given.kills, given.seed))
        print("two writers, SQLite:", *run_writers(Places(Path(name) / "two"), given.commits))
    from tests.postgres_server import find_postgres, running_server

    if find_postgres() is None:
        print("PostgreSQL is not installed")
        return
    with running_server() as url, tempfile.TemporaryDirectory() as name:
        outcome = run_kills(_made(Path(name) / "kills"), given.kills, given.seed, lambda n: database(url, n))
        _report("PostgreSQL", outcome)
        print("two writers, PostgreSQL:", *run_writers(Places(Path(name) / "two", url), given.commits))


def database(url: str, number: int) -> str:
    """The URL of the n-th database of a server, made if need be."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (f"store{number}",)
        ).fetchone()
        if not known:
            connection.execute(
                psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(f"store{number}"))
            )
    return url.replace("/postgres?", f"/store{number}?")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _report(name: str, outcome: Outcome) -> None:
    print(
        f"{name}: {outcome.kills} kills, {outcome.acknowledged} facts acknowledged, problems: {outcome.problems}"
    )


if __name__ == "__main__":
    main()
