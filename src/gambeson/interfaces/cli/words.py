"""Reads what several options share: lists, KEY=VALUE pairs, rules."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from gambeson.core.errors import UsageError

_WORDS = {"true": True, "false": False, "none": None}
_RULE = re.compile(r"^\s*([^\s<>=]+)\s*([<>]=?)\s*(\S+)\s*$")


def split_words(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """Repeated and comma-separated values as one tuple, each once; ``None`` where none was given.

    Raises:
        UsageError: Values were given that hold no word.
    """
    if not values:
        return None
    stripped = (word.strip() for value in values for word in value.split(","))
    found = tuple(dict.fromkeys(word for word in stripped if word))
    if not found:
        raise UsageError(
            f"{','.join(values)!r} names nothing.", expected="one name, or several separated by commas"
        )
    return found


def data_options(values: Sequence[str] | None, label: str | None) -> tuple[tuple[str, str], ...]:
    """Options of the data source from ``--data-option KEY=VALUE`` and ``--label``.

    Raises:
        UsageError: One has no ``=``, or a key is given twice.
    """
    pairs = {"label": label} if label is not None else {}
    for value in values or ():
        key, equals, rest = value.partition("=")
        if not equals:
            raise UsageError(f"--data-option {value!r} has no '='.", expected="KEY=VALUE, e.g. header=none")
        if key in pairs:
            raise UsageError(f"The data option {key!r} is given twice.", remedy="keep one of them")
        pairs[key] = rest
    return tuple(pairs.items())


def whole_number(flag: str, text: str) -> int:
    """The number that a flag gives.

    Raises:
        UsageError: It is no whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{flag} is {text!r}.", expected="a whole number") from None


def number(flag: str, text: str) -> float:
    """The number that a flag gives.

    Raises:
        UsageError: It is none, or not finite.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{flag} is {text!r}.", expected="a number")
    return value


def parameters(pairs: Sequence[str] | None) -> tuple[tuple[str, object], ...]:
    """``steps=100`` as name and value: a number, true, false, none, or else a word.

    Raises:
        UsageError: One has no ``=``.
    """
    found = []
    for pair in pairs or ():
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"--param {pair!r} has no '='.", expected="KEY=VALUE, e.g. steps=100")
        found.append((key, _value(text)))
    return tuple(found)


def _value(text: str) -> object:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def threshold(text: str) -> tuple[str, str]:
    """Figure and rule of ``"evasion.gradient.robust_accuracy >= 0.4"``.

    Raises:
        UsageError: It is no such rule.
    """
    match = _RULE.match(text)
    if match is None:
        raise UsageError(
            f"--threshold {text!r} is no rule.",
            expected="'CHECK.FIGURE >= NUMBER' (or <=, <, >), e.g. 'evasion.gradient.robust_accuracy >= 0.4'",
            remedy="put it in quotes: the shell takes < and > for itself",
        )
    return match[1], f"{match[2]} {match[3]}"
