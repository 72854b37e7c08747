"""The use-case that poisons a dataset: to see whether a pipeline notices."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.poisoning.base import Backdoor, Build, PoisonTask, poisonings
from gambeson.attacks.poisoning.harness import Poisoned, run_poisoning, triggered
from gambeson.audit.report.writing import unwritable
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed, digest_file
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.data.writing import LABEL, SPLIT, Rows, rounded, to_csv, to_npz
from gambeson.models.factory import import_function

RECORD, TRIGGERED = "poison.json", "triggered"
"""Names of the record and of the inputs with the trigger, beside the poisoned data."""


@dataclass(frozen=True, slots=True)
class PoisonCommand:
    """What to poison, and how.

    Attributes:
        attack: Registered name.
        data: The dataset.
        data_options: How to read it.
        parameters: Of the attack.
        rate: Share of the training rows that may change.
        target: Class that the attacker wants, by name; the first where ``None``.
        split: That is poisoned; the others are copied.
        victim: Row of the test split that a targeted attack is about.
        factory: Builds the network that the attacker trains where he needs one.
        seed: Of everything that is drawn.
        out: Folder for data and record.
    """

    attack: str
    data: str
    data_options: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, object], ...] = ()
    rate: float = 0.05
    target: str | None = None
    split: str = "train"
    victim: int | None = None
    factory: str | None = None
    seed: int = 0
    out: Path = Path("gambeson-poison")


@dataclass(frozen=True, slots=True)
class PoisonRun:
    """What was written.

    Attributes:
        attack: Its name.
        rows: Rows after it.
        changed: Rows whose input or label is not what it was.
        removed: Rows that were left out.
        files: Paths, the data first.
        command: The command that repeats it.
    """

    attack: str
    rows: int
    changed: int
    removed: int
    files: tuple[str, ...]
    command: str


def poison_data(command: PoisonCommand) -> PoisonRun:
    """Poison one split of a dataset, and write the data, a record, and test inputs with the trigger.

    Raises:
        UsageError: Something in the command is wrong, or the attack does not work on such data.
        InsufficientEvidence: Too few rows of the kind that the attack needs.
        ModelError: A network that the attacker trains diverged.
        Unavailable: The folder cannot be written to.
    """
    attack = poisonings.make(command.attack, dict(command.parameters))
    facts = poisonings[command.attack].facts
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    task = poison_task(command, data)
    made = run_poisoning(command.attack, attack, facts, task)
    splits = {name: take_all(data, name) for name in data.splits if name != command.split}
    splits[command.split] = (made.x, made.y)
    record = {
        **made.record,
        "data": {"source": data.name, "digest": data.digest, "split": command.split},
        "command": poison_line(command),
    }
    files = {f"data{_suffix(data)}": _content(data, splits)}
    if isinstance(attack, Backdoor) and "test" in data.splits:
        x, y = take_all(data, "test")
        others = y != task.target
        sent = rounded(data.schema, triggered(attack, x[others], task))
        files[f"{TRIGGERED}{_suffix(data)}"] = _content(data, {"test": (sent, y[others])})
    return _write(command, files, record, made)


def poison_task(command: PoisonCommand, data: Dataset) -> PoisonTask:
    """All that the attacker knows and wants.

    Raises:
        UsageError: The target is no class, or the victim no row of the test split.
    """
    classes = data.schema.classes
    target = classes[0] if command.target is None else command.target
    if target not in classes:
        raise UsageError(f"The target is {target!r}.", expected=f"one of {', '.join(classes)}")
    x, y = take_all(data, command.split)
    victim = None
    if command.victim is not None:
        rows = data.split("test")
        if not 0 <= command.victim < len(rows):
            raise UsageError(
                f"The victim is row {command.victim}.", expected=f"0 to {len(rows) - 1}, of split test"
            )
        victim = rows.take(np.array([command.victim]))[0][0]
    build: Build | None = import_function(command.factory) if command.factory else None
    seed = Seed(command.seed).child("poison", command.attack)
    return PoisonTask(x, y, data.schema, command.rate, classes.index(target), seed, victim, build)


def take_all(data: Dataset, split: str) -> Rows:
    """All rows of a split."""
    rows = data.split(split)
    return rows.take(np.arange(len(rows)))


def poison_line(command: PoisonCommand) -> str:
    """A ``gambeson data poison`` command that does the same again."""
    words = ["gambeson", "data", "poison", command.attack, command.data]
    for name, text in command.data_options:
        words += ["--data-option", f"{name}={text}"]
    for key, value in command.parameters:
        words += ["--param", f"{key}={value}"]
    words += ["--rate", f"{command.rate:g}"]
    given = (("--target", command.target), ("--victim", command.victim), ("--factory", command.factory))
    for flag, choice in given:
        words += [] if choice is None else [flag, str(choice)]
    words += ["--split", command.split] if command.split != "train" else []
    return shlex.join([*words, "--seed", str(command.seed)])


def _suffix(data: Dataset) -> str:
    return ".csv" if data.schema.features else ".npz"


def _content(data: Dataset, splits: dict[str, Rows]) -> bytes:
    if data.schema.features:
        return to_csv(data.schema, splits).encode()
    return to_npz(data.schema, splits)


def _write(
    command: PoisonCommand, files: dict[str, bytes], record: dict[str, object], made: Poisoned
) -> PoisonRun:
    try:
        for name, content in files.items():
            write_whole(command.out / name, content)
        record["files"] = {name: digest_file(command.out / name) for name in files}
        if any(name.endswith(".csv") for name in files):
            record["read with"] = {"label": LABEL, "split": SPLIT}
        write_whole(command.out / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    except OSError as error:
        raise unwritable(command.out, error) from None
    return PoisonRun(
        command.attack,
        len(made.y),
        len(made.changed),
        len(made.record["removed"]),
        tuple(str(command.out / name) for name in (*files, RECORD)),
        poison_line(command),
    )
