"""What ``gambeson harden`` did: values and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence
from gambeson.core.measurement import Measurement
from gambeson.defenses.private.statement import PrivacyStatement

ROBUST, CLEAN, EXPOSURE = "robust_accuracy", "clean_accuracy", "auc"
"""Names of the figures that the candidates are compared by."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a model was trained.

    Attributes:
        recipe: Its name.
        parameters: Of recipe and plan, in words, by name.
        steps: Steps made.
        seconds: Wall-clock time.
        complete: Whether it came to its planned end.
        returns: ``(step, reason)`` where it had to go back.
        promise: What is promised to each training record; ``None`` where nothing is.
        fresh: Whether it began with new weights.
    """

    recipe: str
    parameters: tuple[tuple[str, str], ...]
    steps: int
    seconds: float
    complete: bool
    returns: tuple[tuple[int, str], ...]
    promise: PrivacyStatement | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model and what the audit says of it.

    Attributes:
        name: ``"before"``, or the recipe.
        model: File and digest.
        audit: Folder of its audit.
        measurements: Figures of the audit that the candidates are compared by.
        verdict: What became of robustness, in words.
        improved: Whether robust accuracy rose by more than chance, and can be believed.
        training: How it was trained; ``None`` for the model that was given.
        evidence: Charts of the training.
    """

    name: str
    model: Subject
    audit: str
    measurements: tuple[Measurement, ...]
    verdict: str
    improved: bool
    training: Training | None
    evidence: Evidence

    def figure(self, name: str) -> Measurement | None:
        """A figure by name, or ``None`` where it was not measured."""
        return next((m for m in self.measurements if m.name == name), None)


@dataclass(frozen=True, slots=True)
class HardenRun:
    """Everything that a hardening did.

    Attributes:
        tool: Version of Gambeson.
        data: What was trained and judged on.
        command: The command that repeats it.
        seed: Root of the seed tree.
        threat: The attacker, in words.
        before: The model that was given.
        candidates: What the recipes made of it.
        evidence: Charts over all of them.
        interrupted: Whether it was cut short by the user.
        times: All that depends on the clock, but for the seconds of each training.
    """

    tool: str
    data: Subject
    command: str
    seed: int
    threat: str
    before: Candidate
    candidates: tuple[Candidate, ...]
    evidence: Evidence
    interrupted: bool
    times: Times

    @property
    def improved(self) -> bool:
        """Whether at least one recipe made the model more robust."""
        return any(candidate.improved for candidate in self.candidates)

    @property
    def measured(self) -> bool:
        """Whether the robust accuracy of every model is known."""
        return all(c.figure(ROBUST) is not None for c in (self.before, *self.candidates))

    def to_json(self) -> str:
        """As JSON.

        Raises:
            ValueError: A figure is not finite: that is a bug, never written down.
        """
        return json.dumps(asdict(self), indent=1, allow_nan=False, default=str) + "\n"
