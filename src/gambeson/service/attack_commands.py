"""The command of ``gambeson attack``, and the command line that repeats it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.service.command_line import threat_words


@dataclass(frozen=True, slots=True)
class AttackCommand:
    """One or several attacks on one model.

    Attributes:
        attacks: Registered names, or those of ensembles: ``autoattack`` or ``strongest``.
        model: Path or URI.
        data: Path or URI.
        parameters: Of the attacks, by name; ``"pgd.steps"`` is for pgd alone.
        threat: The attacker; its radius does not count for ``nearest``.
        nearest: Look for the nearest adversarial input instead of any within the radius.
        factory, scores, classes, data_options, split: As for an audit.
        samples: Rows to attack.
        seed: Root of the seed tree.
        batch_size: Samples per model pass; never changes a result.
        time_budget: Seconds after which attacks wind up, or ``None``.
        out: Folder for the report and the adversarial examples, or ``None``.
        png: Also write the examples as pictures.
    """

    attacks: tuple[str, ...]
    model: str
    data: str
    parameters: tuple[tuple[str, object], ...] = ()
    threat: ThreatModel = field(default_factory=ThreatModel)
    nearest: bool = False
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    samples: int = 500
    seed: int = 0
    batch_size: int = 128
    time_budget: float | None = None
    out: Path | None = None
    png: bool = False

    def parameters_of(self, attack: str) -> dict[str, object]:
        """The parameters that one of the attacks gets."""
        found: dict[str, object] = {}
        for name, value in self.parameters:
            owner, _, own = name.rpartition(".")
            if owner in ("", attack):
                found[own] = value
        return found


def check_attack(command: AttackCommand) -> None:
    """What can be wrong before anything is opened.

    Raises:
        UsageError: It is.
    """
    if not command.attacks:
        raise UsageError("No attack was named.", expected="as in gambeson list attacks, e.g. pgd or pgd,apgd")
    if command.samples < 1:
        raise UsageError(f"{command.samples} samples were asked for.", expected="at least 1")
    if command.batch_size < 1:
        raise UsageError(f"The batch size is {command.batch_size}.", expected="at least 1")
    if command.png and command.out is None:
        raise UsageError("--png writes files and needs a folder.", remedy="add --out FOLDER")
    for name, _ in command.parameters:
        owner = name.rpartition(".")[0]
        if owner and owner not in command.attacks:
            raise UsageError(
                f"--param {name} is for {owner}, which does not run.", expected=", ".join(command.attacks)
            )


def attack_line(command: AttackCommand) -> str:
    """A ``gambeson attack`` command that finds the same again; only what decides the result is written."""
    words = ["gambeson", "attack", ",".join(command.attacks), command.model, "--data", command.data]
    default = AttackCommand((), "", "")
    for flag, value, usual in (
        ("--factory", command.factory, None),
        ("--scores", command.scores, None),
        ("--classes", command.classes, None),
        ("--split", command.split, default.split),
        ("--samples", command.samples, default.samples),
    ):
        if value is not None and value != usual:
            words += [flag, str(value)]
    for name, text in command.data_options:
        words += ["--data-option", f"{name}={text}"]
    words += threat_words(command.threat, radius=not command.nearest)
    words += ["--nearest"] if command.nearest else []
    for name, parameter in command.parameters:
        words += ["--param", f"{name}={_plain(parameter)}"]
    return shlex.join([*words, "--seed", str(command.seed)])


def _plain(value: object) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
