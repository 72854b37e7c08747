"""What a check is: one function that answers one question about a model, registered with its facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gambeson.core.finding import Family, Finding
from gambeson.core.ports import Clock, Executor, Journal, NoJournal, NoProgress, Progress, SameProcess
from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import Dataset
from gambeson.models.model import Model


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What a check declares about itself.

    Attributes:
        family: Family of attack it speaks of.
        access: Access that its attacker uses.
        question: The question it asks, in one line.
        taxonomy: Identifiers of the attack, e.g. ``"atlas:AML.T0043"``.
        cost: Share of a time budget that it gets, relative to other checks.
        per_threat: Whether the answer depends on the perturbation set, so that it is asked for each threat.
        any_answers: It runs even where a model's answers depend on the batch; other evasion checks are then refused,
            because no figure about single inputs could be right.
        needs_gradients: With access ``gradient``: whether the model must give gradients; what only reads the file of
            a model needs none.
    """

    family: Family
    access: Access
    question: str
    taxonomy: tuple[str, ...]
    cost: float = 1.0
    per_threat: bool = True
    any_answers: bool = False
    needs_gradients: bool = True


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look; the profiles ``quick``, ``standard`` and ``thorough`` are three values of it.

    Attributes:
        samples: Rows audited by evasion checks.
        steps: Iterations of each gradient attack.
        targets: Target classes of targeted attacks.
        queries: Queries per sample of black-box attacks.
        curve: Multiples of eps at which the robust-accuracy curve is measured.
        references: Reference models trained for membership inference.
        records: Most members, and most non-members, scored by membership inference.
    """

    samples: int
    steps: int
    targets: int
    queries: int
    curve: tuple[float, ...]
    references: int
    records: int


PROFILES = {
    "quick": Effort(200, 20, 3, 500, (0.25, 0.5, 1.0), 2, 1_000),
    "standard": Effort(500, 50, 9, 2_000, (0.125, 0.25, 0.5, 1.0, 2.0), 4, 5_000),
    "thorough": Effort(1_000, 100, 9, 5_000, (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0), 8, 20_000),
}


@dataclass(frozen=True, slots=True)
class CheckContext:
    """All that a check may use.

    Attributes:
        check: Id of the running check; the name under which it reports progress.
        model: The model under test.
        data: The dataset; ``split`` names the audited split, ``train_split`` the training records
            of the target (``None`` when the data has none).
        threat: The attacker.
        effort: How hard to look.
        seed: Node of the seed tree that belongs to this check.
        command: Command that repeats the audit with this check alone.
        rows_per_pass: Samples per model pass.
        deadline: Value of ``clock`` after which the check must wind up, or ``None``.
        surrogate: A model that the attacker holds and that is not the target, or ``None``.
        executor: Where independent pieces of a check's work are done.
        cache: Results that outlive the audit, under digests of all that decides them.
    """

    check: str
    model: Model
    data: Dataset
    threat: ThreatModel
    effort: Effort
    seed: Seed
    split: str = "test"
    train_split: str | None = "train"
    command: str = ""
    rows_per_pass: int = 128
    deadline: float | None = None
    surrogate: Model | None = None
    progress: Progress = field(default_factory=NoProgress)
    journal: Journal = field(default_factory=NoJournal)
    clock: Clock = time.monotonic
    executor: Executor = field(default_factory=SameProcess)
    cache: Journal = field(default_factory=NoJournal)

    @property
    def time_is_up(self) -> bool:
        """Whether the check must wind up now."""
        return self.deadline is not None and self.clock() >= self.deadline


Check = Callable[[CheckContext], list[Finding]]
"""Answers with findings. May raise any GambesonError: the runner turns it into an ERRORED or NOT_ASSESSED
finding; ``InsufficientEvidence`` and ``Unavailable`` become NOT_ASSESSED with the message as the reason."""

checks: Registry[Check, CheckFacts] = Registry(
    "check",
    (
        "gambeson.audit.checks.certified",
        "gambeson.audit.checks.evasion",
        "gambeson.audit.checks.evasion_sanity",
        "gambeson.audit.checks.evasion_universal",
        "gambeson.audit.checks.evasion_patch",
        "gambeson.audit.checks.evasion_spatial",
        "gambeson.audit.checks.evasion_transfer",
        "gambeson.audit.checks.evasion_corruption",
        "gambeson.audit.checks.membership",
        "gambeson.audit.checks.membership_labels",
        "gambeson.audit.checks.inversion",
        "gambeson.audit.checks.extraction",
        "gambeson.audit.checks.extraction_equations",
        "gambeson.audit.checks.extraction_paths",
        "gambeson.audit.checks.extraction_relu",
        "gambeson.audit.checks.attributes",
        "gambeson.audit.checks.artifact",
        "gambeson.audit.checks.poisoning_backdoor",
        "gambeson.audit.checks.poisoning_samples",
        "gambeson.audit.checks.property",
    ),
)
