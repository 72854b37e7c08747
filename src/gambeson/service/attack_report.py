"""What ``gambeson attack`` found: values and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from gambeson.attacks.ensemble import StageRecord
from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence, Table
from gambeson.core.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Picture:
    """One adversarial example as an 8-bit picture.

    Attributes:
        row: Number in its split, and of its files.
        label: True class.
        before, after: Predicted classes of the original and of the adversarial input.
        as_png: Predicted class of the adversarial input once rounded to 8 bits, as its PNG holds it.
        still_fools: Whether that is a wrong answer.
        no_larger: Whether rounding left the perturbation no larger than it was, in the norm of the threat model.
    """

    row: int
    label: str
    before: str
    after: str
    as_png: str
    still_fools: bool
    no_larger: bool


@dataclass(frozen=True, slots=True)
class AttackReport:
    """What one attack found.

    Attributes:
        attack: Its name.
        threat: The attacker, in words.
        measurements: Clean accuracy, robust accuracy (or success), median distance, median queries, ...
        stages: What each stage of an ensemble did; one for a single attack.
        evidence: Charts, tables, examples, counts.
        cut: What was left out for lack of time; empty when nothing was.
        pictures: What was exported as PNG.
    """

    attack: str
    threat: str
    measurements: tuple[Measurement, ...]
    stages: tuple[StageRecord, ...]
    evidence: Evidence = field(default_factory=Evidence)
    cut: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class AttackRun:
    """What one or several attacks found on the same samples of one model.

    Attributes:
        tool: Version of Gambeson.
        model, data: What was attacked, on what.
        command: The command that repeats it.
        seed: Root of the seed tree.
        attacks: In the order they were named.
        together: Figures of all attacks taken together (each input as the best of them left it); empty for one.
        comparison: Who broke what at which cost; ``None`` for one attack.
        evidence: Charts over all attacks.
        interrupted: Whether it was cut short by the user.
        times: All that depends on the clock.
    """

    tool: str
    model: Subject
    data: Subject
    command: str
    seed: int
    attacks: tuple[AttackReport, ...]
    together: tuple[Measurement, ...]
    comparison: Table | None
    evidence: Evidence
    interrupted: bool
    times: Times

    def to_json(self) -> str:
        """As JSON; the same run gives the same bytes apart from ``times``.

        Raises:
            ValueError: A figure is not finite: that is a bug, never written down.
        """
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"
