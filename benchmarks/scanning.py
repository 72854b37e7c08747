"""Scanners beside one another: what each says of hostile and harmless files, and how fast it is."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gambeson import __version__
from gambeson.core.finding import Outcome, Severity
from gambeson.supply.scanning import scan_file
from gambeson.supply.walking import walk
from tests.corpus.benign import benign_files
from tests.corpus.benign_frameworks import framework_files
from tests.corpus.hostile_archives import hostile_archives
from tests.corpus.hostile_models import hostile_models, safetensors
from tests.corpus.hostile_pickles import hostile_pickles

PEERS = Path(os.environ.get("GAMBESON_SCANNERS", "build/scanners/bin/python"))
"""The Python of an environment with the four peers: pip install them there, not into ours."""

_LONGEST = 900
_SILENT = {**os.environ, "PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1"}  # modelaudit reports home
_FOUND, _CLEAN, _FAILED = "found", "clean", "failed"

# Each driver reads paths from stdin and prints, for each, one of the words above: FAILED is an error or a skip.
_DRIVERS = {
    "picklescan": """
from picklescan.scanner import scan_file_path
def verdict(path):
    found = scan_file_path(path)
    return "found" if found.infected_files else "failed" if found.scan_err or not found.scanned_files else "clean"
""",
    "modelscan": """
from modelscan.modelscan import ModelScan
def verdict(path):
    found = ModelScan().scan(path)
    summary = found["summary"]
    if summary["total_issues"]:
        return "found"
    return "failed" if found["errors"] or summary["skipped"]["total_skipped"] else "clean"
""",
    "fickling": """
import fickling
def verdict(path):
    return "clean" if fickling.is_likely_safe(path) else "found"
""",
    "modelaudit": """
from modelaudit.core import scan_model_directory_or_file
def verdict(path):
    found = scan_model_directory_or_file(path, cache_enabled=False)
    if any(issue.severity.value in ("warning", "critical") for issue in found.issues):
        return "found"
    return "failed" if found.has_errors or not found.success or not found.files_scanned else "clean"
""",
}
_LOOP = """
import contextlib, io, logging, sys, warnings
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            word = verdict(line.rstrip("\\n"))
        except BaseException:
            word = "failed"
    print(word, flush=True)
"""


@dataclass(frozen=True)
class Sample:
    """A file on disk, whether it is hostile, and whether it holds pickles, which is what the peers are for."""

    path: Path
    hostile: bool
    pickled: bool


def scanning_tables(*, quick: bool) -> list[str]:
    """Two Markdown tables: verdicts, and speed."""
    with tempfile.TemporaryDirectory(prefix="scan-", dir="build" if Path("build").is_dir() else None) as name:
        folder = Path(name)
        return [_verdicts(folder), _speed(folder, quick=quick)]


def _samples(folder: Path) -> Iterator[Sample]:
    sources = (
        (hostile_pickles, True, True), (hostile_archives, True, True), (hostile_models, True, False),
        (benign_files, False, False), (framework_files, False, False),
    )  # fmt: skip
    for files, hostile, pickled in sources:
        for number, (name, data) in enumerate(files()):
            path = folder / files.__name__ / str(number) / name
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            yield Sample(
                path, hostile, pickled or (not hostile and path.suffix in (".pkl", ".pt", ".pth", ".joblib"))
            )


def _ours(path: Path) -> str:
    result = scan_file(path)
    if result.worst is not None and result.worst.rank >= Severity.HIGH.rank:
        return _FOUND
    return _FAILED if result.outcome is Outcome.ERRORED else _CLEAN


def _peer(name: str, paths: list[Path]) -> list[str] | None:
    """Its word on each file; ``None`` where it is not installed."""
    if not PEERS.exists():
        return None
    given = "\n".join(map(str, paths)) + "\n"
    script = _DRIVERS[name] + _LOOP
    done = subprocess.run(
        [PEERS, "-c", script], input=given, capture_output=True, text=True, timeout=_LONGEST * 4, env=_SILENT
    )
    words = done.stdout.split()
    return words if len(words) == len(paths) else None


def _version(name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run([PEERS, "-c", code], capture_output=True, text=True) if PEERS.exists() else None
    return done.stdout.strip() if done and done.returncode == 0 else "not installed"


def _verdicts(folder: Path) -> str:
    samples = list(_samples(folder))
    paths = [sample.path for sample in samples]
    words: dict[str, list[str] | None] = {f"Gambeson {__version__}": [_ours(path) for path in paths]}
    words |= {f"{name} {_version(name)}": _peer(name, paths) for name in _DRIVERS}
    hostile, pickled = sum(s.hostile for s in samples), sum(s.hostile and s.pickled for s in samples)
    lines = [
        "## Scanning",
        "",
        f"{hostile} hostile files, {pickled} of them pickles or archives that hold them, and {len(samples) - hostile} "
        "harmless ones, as `tests/corpus` makes them. The corpus is ours: it was written together with the scanner, "
        "and names that harmless files of it import were added to the list. Failed: an error, or the file was skipped.",
        "",
        "| scanner | hostile: missed | failed | hostile pickles: missed | failed | harmless: alarms | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, said in words.items():
        lines.append(f"| {name} | " + (_cells(samples, said) if said else "– | – | – | – | – | –") + " |")
    return "\n".join(lines) + "\n"


def _cells(samples: list[Sample], said: list[str]) -> str:
    counted = Counter((s.hostile, s.pickled, word) for s, word in zip(samples, said, strict=True))

    def count(hostile: bool, word: str, only_pickles: bool = False) -> int:
        return counted[hostile, True, word] + (0 if only_pickles else counted[hostile, False, word])

    figures = (
        count(True, _CLEAN), count(True, _FAILED), count(True, _CLEAN, True), count(True, _FAILED, True),
        count(False, _FOUND), count(False, _FAILED),
    )  # fmt: skip
    return " | ".join(map(str, figures))


def _speed(folder: Path, *, quick: bool) -> str:
    size, many = (200 << 20, 2_000) if quick else (2 << 30, 20_000)
    weights, small, objects = folder / "weights.safetensors", folder / "small", folder / "objects.pkl"
    _write_weights(weights, size)
    _write_small(small, many)
    with objects.open("wb") as stream:
        pickle.dump(list(_objects(100_000 if quick else 2_300_000)), stream, 4)
    rows = [
        (f"safetensors, {size >> 20} MiB: SHA-256 alone", lambda: _digest(weights)),
        ("the same: scan and SHA-256", lambda: scan_file(weights)),
        ("the same: scan and BLAKE3", lambda: scan_file(weights, digest="blake3")),
        (f"{many:,} small files: os.walk and SHA-256", lambda: _plain_walk(small)),
        ("the same: scan and SHA-256", lambda: [scan_file(item.path) for item in walk([small])]),
        (
            f"pickle of objects, {objects.stat().st_size >> 20} MiB: scan and SHA-256",
            lambda: scan_file(objects),
        ),
        *(
            (f"the same: {name}", lambda name=name: _finished(_peer(name, [objects])))
            for name in _DRIVERS
            if PEERS.exists()
        ),
    ]
    lines = ["| work | best of 3 (peers: one), s | MB/s |", "|---|---|---|"]
    moved = None
    for label, work in rows:
        seconds = _best(work, 1 if label.startswith("the same: ") and "scan and" not in label else 3)
        if not label.startswith("the same"):
            moved = {"pickle": objects.stat().st_size, "safete": size}.get(label[:6])
        lines.append(f"| {label} | {seconds:.2f} | {f'{moved / seconds / 1e6:.0f}' if moved else ''} |")
    return "\n".join(lines) + "\n"


def _finished(words: list[str] | None) -> None:
    """A peer that broke off took no time that says anything."""
    if words is None or _FAILED in words:
        raise subprocess.TimeoutExpired("peer", _LONGEST)


def _best(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        try:
            work()
        except subprocess.TimeoutExpired:
            return float("nan")
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            state.update(piece)
    return state.hexdigest()


def _plain_walk(folder: Path) -> int:
    count = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(base, name), "rb") as stream:
                hashlib.sha256(stream.read()).hexdigest()
            count += 1
    return count


def _write_weights(path: Path, size: int) -> None:
    head = safetensors({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}, b"")
    block = random.Random(0).randbytes(1 << 20)
    with path.open("wb") as stream:
        stream.write(head)
        for _ in range(size >> 20):
            stream.write(block)


def _write_small(folder: Path, count: int) -> None:
    """Pictures, tables and annotations of a few hundred bytes to 4 KB, 200 to a folder."""
    rng = random.Random(0)
    for number in range(count):
        path = folder / f"{number // 200:03d}" / f"{number}.{('bin', 'jpg', 'csv', 'json')[number % 4]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = "a,b\n" + "".join(f"{rng.random()},{row}\n" for row in range(60))
        note = json.dumps({"id": number, "box": [rng.random() for _ in range(40)]})
        noise = rng.randbytes(rng.randint(200, 4_000))
        picture = b"\xff\xd8\xff\xe0" + noise
        path.write_bytes((noise, picture, table.encode(), note.encode())[number % 4])


def _objects(count: int) -> Iterator[dict[str, object]]:
    rng = random.Random(0)
    for number in range(count):
        yield {
            "id": number,
            "weight": rng.random(),
            "name": f"item{number}",
            "tags": [number % 7, "a"],
            "on": True,
        }
