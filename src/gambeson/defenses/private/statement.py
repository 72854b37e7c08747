"""The privacy statement of a trained network: what is promised, what was done for it, and what it does not cover."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.defenses.private.accounting import ACCOUNTANT, Mechanism, concerns, epsilon_of
from gambeson.defenses.private.plan import PrivatePlan

NOT_COVERED = (
    "audits, accuracies and other figures computed from the training records: publishing them tells more",
    "other trainings on the same records, tried parameters included: each has its own epsilon, and they add up",
    "the number of records, and anything in the network's code that was chosen by looking at them",
    "several records of one person: the promise is for one record",
    "who reads the machine's memory, clock or checkpoints while it trains",
)

_PUBLIC = "it began with given weights: the promise fails if those were trained on any of these records"


@dataclass(frozen=True, slots=True)
class PrivacyStatement:
    """For a lineage record. Neighbouring data sets differ by one record that is added or removed.

    Attributes:
        epsilon: What holds at ``delta``.
        delta: See there.
        asked: The epsilon that was asked for.
        accountant: What computed it.
        neighbours: Which data sets cannot be told apart.
        records: Training records; their number counts as known.
        sampling: How the rows of a step are drawn.
        rate: Probability of a record to be in a step.
        steps: Steps.
        noise_multiplier: Of each step, relative to ``clip``.
        clip: Largest norm of a row's gradient.
        releases: Noise multipliers of further sums over all records.
        draws: Where rows and noise come from.
        holds: Whether the promise holds against everybody; false where a seed would undo it.
        concerns: What is questionable about it.
        self_test: What canaries said of this installation; empty where it was not asked.
        not_covered: What the promise does not extend to.
    """

    epsilon: float
    delta: float
    asked: float
    accountant: str
    neighbours: str
    records: int
    sampling: str
    rate: float
    steps: int
    noise_multiplier: float
    clip: float
    releases: tuple[float, ...]
    draws: str
    holds: bool
    concerns: tuple[str, ...]
    self_test: str
    not_covered: tuple[str, ...] = NOT_COVERED

    def __str__(self) -> str:
        words = f"epsilon {self.epsilon:.3g} at delta {self.delta:.3g} for each of {self.records:,} records"
        return words if self.holds else f"{words}, but not against who knows the seed"


def state(
    plan: PrivatePlan,
    mechanism: Mechanism,
    records: int,
    *,
    secret: bool,
    public: bool = False,
    self_test: str = "",
) -> PrivacyStatement:
    """The statement of a training that came to its end.

    Args:
        plan: What was asked for.
        mechanism: What was done.
        records: Training records.
        secret: Whether rows and noise came from the operating system.
        public: Whether it began with given weights, which are said to know nothing of the records.
        self_test: What canaries said.

    Raises:
        Unavailable: The package ``dp-accounting`` is missing.
    """
    delta = plan.delta_for(records)
    epsilon = epsilon_of(mechanism, delta)
    return PrivacyStatement(
        epsilon=epsilon,
        delta=delta,
        asked=plan.epsilon,
        accountant=ACCOUNTANT,
        neighbours="one record added or removed",
        records=records,
        sampling="Poisson: each record in each step by itself",
        rate=mechanism.rate,
        steps=mechanism.steps,
        noise_multiplier=mechanism.noise_multiplier,
        clip=plan.clip,
        releases=mechanism.releases,
        draws="the operating system's entropy"
        if secret
        else "a seed: whoever knows it can take the noise away",
        holds=secret,
        concerns=(*concerns(plan.epsilon, delta, records), *([_PUBLIC] if public else [])),
        self_test=self_test,
    )
