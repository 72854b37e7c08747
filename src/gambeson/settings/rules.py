"""What the value of a single setting must satisfy, by its name: choices, least values, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity
from gambeson.core.threat import Access, Norm
from gambeson.settings.parsing import parse_duration, parse_eps

CHOICES: dict[str, tuple[str, ...]] = {
    "norm": tuple(Norm),
    "access": tuple(Access),
    "profile": ("quick", "standard", "thorough"),
    "scores": ("logits", "probabilities"),
    "fail_on": ("never", *Severity),
    "formats": ("json", "html", "sarif", "junit"),
}

DATA_OPTIONS = (
    "label",
    "classes",
    "low",
    "high",
    "scale",
    "freeze",
    "categorical",
    "drop",
    "names",
    "header",
    "separator",
    "missing",
    "split",
    "test_fraction",
    "split_seed",
    "relations",
    "one_hot",
    "sensitive",
    "confidential",
    "max_pixels",
)
"""Keys of ``[data.options]``: the attributes of ``data.sources.DataOptions``, which lies above this layer."""

ABOVE: dict[str, int] = {"time_budget": 0}

LEAST: dict[str, int] = {
    "batch_size": 1,
    "categories": 0,
    "classes": 2,
    "jobs": 1,
    "queries": 1,
    "samples": 1,
    "seed": 0,
}


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value!r} is no date.", expected="YYYY-MM-DD") from None


READERS: dict[str, Callable[[str], object]] = {
    "eps": parse_eps,
    "time_budget": parse_duration,
    "expires": _date,
}


def check_value(name: str, value: object) -> None:
    """Refuse a value of the right type that still makes no sense.

    Args:
        name: Name of the setting, without its table.
        value: Its value; ``None`` is never refused.

    Raises:
        UsageError: The value is none of its choices, too small, or cannot be read.
    """
    if value is None:
        return
    if name in CHOICES and value not in CHOICES[name]:
        raise UsageError(f"{value!r} is none of its values.", expected=", ".join(CHOICES[name]))
    if name in LEAST and isinstance(value, int) and value < LEAST[name]:
        raise UsageError(f"{value} is too small.", expected=f"at least {LEAST[name]}")
    if name in READERS:
        READERS[name](str(value))
