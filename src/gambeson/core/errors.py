"""The error tree: a class exists only where a caller acts differently.

GambesonError
├── UsageError            the caller gave something wrong: say what was expected and what to do
├── Refused               a rule forbids it (an unsafe file, access that was not granted)
│   └── AccessDenied      an attack asked its oracle for more than the threat model grants
├── IntegrityError        bytes are not what they claim to be (truncated, wrong digest, wrong format)
├── Unavailable           an optional package or resource is missing; the message names the extra
├── ModelError            the model under test raised, or answered with something unusable (NaN, wrong shape)
├── InsufficientEvidence  too few samples for the figure that was asked for
└── BudgetExhausted       a query or time budget is spent; the harness stops the attack and keeps its results
"""

from __future__ import annotations


class GambesonError(Exception):
    """Base of every error that Gambeson raises on purpose.

    Args:
        message: What was given and what is wrong with it, in one sentence.
        expected: What would have been right.
        remedy: What to do now.
    """

    def __init__(self, message: str, *, expected: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.remedy:
            parts.append(f"Fix: {self.remedy}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword parts when the error crosses a process boundary."""
        return (_rebuild, (type(self), self.message, self.expected, self.remedy))


def _rebuild(kind: type[GambesonError], message: str, expected: str, remedy: str) -> GambesonError:
    return kind(message, expected=expected, remedy=remedy)


class UsageError(GambesonError):
    """The caller gave a wrong argument, file or configuration."""


class Refused(GambesonError):
    """A safety rule forbids what was asked."""


class AccessDenied(Refused):
    """An attack asked for more access than its threat model grants."""


class IntegrityError(GambesonError):
    """Bytes are not what they claim to be."""


class Unavailable(GambesonError):
    """An optional package or an outside resource is missing."""


class ModelError(GambesonError):
    """The model under test raised or answered with something unusable."""


class InsufficientEvidence(GambesonError):
    """Too few samples for the figure that was asked for."""


class BudgetExhausted(GambesonError):
    """A query or time budget is spent."""


def missing_extra(package: str, extra: str) -> Unavailable:
    """The one way to say that an optional package is missing.

    Args:
        package: Import name of the missing package.
        extra: The extra of Gambeson that installs it.
    """
    return Unavailable(
        f"This needs the package {package!r}, which is not installed.",
        remedy=f"pip install 'gambeson[{extra}]'",
    )
