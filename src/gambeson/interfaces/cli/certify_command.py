"""From the flags of ``gambeson certify`` to its command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gambeson.certify.margins import Method
from gambeson.certify.smoothing import Smoothing
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm, ThreatModel
from gambeson.interfaces.cli.words import data_options, split_words, whole_number
from gambeson.service.certifying import CertifyCommand
from gambeson.settings.parsing import parse_eps

_NUMBERS = ("classes", "samples", "seed", "batch_size")
_OF_SIGMA = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Radii of a smoothed classifier where none are given, in units of its noise."""


def certify_command(flags: Mapping[str, Any]) -> CertifyCommand:
    """The certificate that the flags ask for.

    Args:
        flags: Value of every parameter of ``gambeson certify`` by name; ``None`` for what was not given.

    Raises:
        UsageError: Data is missing, or a value makes no sense.
    """
    if flags["data"] is None:
        raise UsageError("No data was given.", expected="gambeson certify MODEL --data DATA")
    given = {name: flags[name] for name in ("factory", "scores", "split", "out") if flags[name] is not None}
    for name in _NUMBERS:
        if flags[name] is not None:
            given[name] = whole_number("--" + name.replace("_", "-"), flags[name])
    if given.get("seed", 0) < 0:
        raise UsageError(f"The seed is {given['seed']}.", expected="an integer of at least 0")
    smoothing = _smoothing(flags)
    radii, unit = _radii(flags["eps"], smoothing)
    return CertifyCommand(
        model=flags["model"],
        data=flags["data"],
        radii=radii,
        threat=ThreatModel(
            norm=_norm(flags["norm"], smoothing),
            eps=max(radii),
            unit=unit,
            frozen=split_words(flags["freeze"]) or (),
        ),
        smoothing=smoothing,
        methods=_methods(flags["method"], smoothing),
        data_options=data_options(flags["data_option"], flags["label"]),
        **given,
    )


def _smoothing(flags: Mapping[str, Any]) -> Smoothing | None:
    if flags["smooth"] is None:
        for name in ("n", "n0", "alpha"):
            if flags[name] is not None:
                raise UsageError(f"--{name} belongs to randomised smoothing.", remedy="add --smooth SIGMA")
        return None
    given: dict[str, Any] = {"sigma": _number("--smooth", flags["smooth"])}
    for name in ("n", "n0"):
        if flags[name] is not None:
            given[name] = whole_number(f"--{name}", flags[name])
    if flags["alpha"] is not None:
        given["alpha"] = _number("--alpha", flags["alpha"])
    return Smoothing(**given)


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{flag} is {text!r}.", expected="a number") from None


def _norm(text: str | None, smoothing: Smoothing | None) -> Norm:
    return Norm.parse(text or (Norm.L2 if smoothing else Norm.LINF))


def _radii(texts: list[str] | None, smoothing: Smoothing | None) -> tuple[tuple[float, ...], str]:
    """The radii and their unit; multiples of the noise where a smoothed classifier is given none."""
    if not texts and smoothing is not None:
        return tuple(smoothing.sigma * factor for factor in _OF_SIGMA), "input"
    found = [parse_eps(word) for word in split_words(texts) or ("8/255",)]
    if len({unit for _, unit in found}) > 1:
        raise UsageError(
            "Some radii are shares of the range and some are not.", remedy="give all in one unit"
        )
    return tuple(eps for eps, _ in found), found[0][1]


def _methods(words: list[str] | None, smoothing: Smoothing | None) -> tuple[Method, ...]:
    names = split_words(words) or ()
    if names and smoothing is not None:
        raise UsageError(
            "--method chooses among ways of bound propagation.", remedy="leave it or --smooth out"
        )
    unknown = [name for name in names if name not in list(Method)]
    if unknown:
        raise UsageError(f"Unknown method {unknown[0]!r}.", expected=", ".join(Method))
    return tuple(method for method in Method if method in names)
