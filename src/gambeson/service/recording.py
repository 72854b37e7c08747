"""Runs a training command on versions from the store and records what came of it."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gambeson.core.errors import ModelError, UsageError
from gambeson.service.attesting import require_trusted
from gambeson.service.tracing import Workspace
from gambeson.service.versioning import AddCommand, Added, add_version, read_dataset_version
from gambeson.supply.keys import PrivateKey
from gambeson.supply.lineage import Pairs
from gambeson.supply.versions import Kind, check_name

DATA, OUT = "{data}", "{out}"


@dataclass(frozen=True, slots=True)
class TrainCommand:
    """A training run.

    Attributes:
        name: Of the model.
        output: What the command writes, by its file name: ``income.skops``.
        inputs: Versions of datasets; ``{data}`` stands for the first, ``{data:NAME}`` for any.
        words: The command; ``{out}`` stands for where it must write.
        parameters: What else to record.
        note: In words.
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    words: tuple[str, ...]
    parameters: Pairs = ()
    note: str = ""


def train_version(workspace: Workspace, command: TrainCommand, key: PrivateKey | None = None) -> Added:
    """Check the inputs out, run the command on them, and add what it wrote.

    The command sees the very bytes that the lineage names: copies in a folder of their own, each checked. What else it
    reads is not seen here. Files of code on its command line are recorded with their digests.

    Raises:
        UsageError: The command does not say where its data and its output belong.
        ModelError: It failed, or wrote nothing.
        IntegrityError: An input is damaged.
        Refused: The key is not trusted.
    """
    check_name(command.name)
    _require_places(command)
    workspace.registry.require_kind(command.name, Kind.MODEL)
    if key is not None:
        require_trusted(workspace, key)
    with tempfile.TemporaryDirectory(prefix="gambeson-") as name:
        root = Path(name)
        out = root / "out" / Path(command.output).name
        out.parent.mkdir()
        refs = tuple(workspace.registry.version(ref).ref for ref in command.inputs)
        words = _filled(workspace, command, refs, root, out)
        started = workspace.clock().isoformat(timespec="seconds")
        _run(words)
        ended = workspace.clock().isoformat(timespec="seconds")
        if not out.exists():
            raise ModelError(
                f"The command wrote nothing to {OUT}.", expected=f"the model at the path given for {OUT}"
            )
        code = tuple(
            Path(word) for word in command.words if Path(word).is_file() and Path(word).suffix == ".py"
        )
        run = (
            ("command", shlex.join(command.words)),
            ("started", started),
            ("ended", ended),
            ("by", "gambeson"),
        )
        add = AddCommand(
            Kind.MODEL, command.name, out, (), refs, code, command.parameters, (), run, "", command.note
        )
        return add_version(workspace, add, key)


def _require_places(command: TrainCommand) -> None:
    text = " ".join(command.words)
    if OUT not in text or "{data" not in text or not command.inputs:
        raise UsageError(
            f"The command {text!r} does not say where its data and its output belong.",
            expected="--from NAME@VERSION ... -- python train.py {data} {out}",
        )


def _filled(
    workspace: Workspace, command: TrainCommand, refs: Sequence[str], root: Path, out: Path
) -> list[str]:
    """The command with paths in place of what stands for them."""
    paths = {OUT: str(out)}
    for place, ref in enumerate(refs):
        version = workspace.registry.version(ref)
        path = str(read_dataset_version(workspace, version, root / "data" / version.name))
        paths[f"{{data:{version.name}}}"] = path
        if place == 0:
            paths[DATA] = path
    words = list(command.words)
    for mark, path in paths.items():
        words = [word.replace(mark, path) for word in words]
    return words


def _run(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(words, check=False)  # noqa: S603 - the user's own command, without a shell
    except OSError as error:
        raise UsageError(
            f"{words[0]} cannot be run: {error.strerror}.", expected="a program of this machine"
        ) from None
    if done.returncode:
        raise ModelError(
            f"The training command failed (exit {done.returncode}).", remedy="its own messages say why"
        )
