"""What the attacker may do: access, perturbation set, query budget and goal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from gambeson.core.errors import UsageError


class Access(StrEnum):
    """What the attacker sees of the model, each level including the ones below (NIST AI 100-2e2025, 2.1).

    Levels compare by how much they show, not by their names: labels < scores < gradient.
    """

    LABELS = "labels"
    SCORES = "scores"
    GRADIENT = "gradient"

    @property
    def rank(self) -> int:
        """0 (labels) to 2 (gradient)."""
        return list(Access).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank < Access(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Access(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Access(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Access(other).rank

    @classmethod
    def parse(cls, text: str) -> Access:
        """Read ``"labels"``, ``"scores"`` or ``"gradient"``.

        Raises:
            UsageError: Any other word.
        """
        try:
            return cls[text.upper()]
        except KeyError:
            raise UsageError(
                f"Unknown access level {text!r}.", expected="labels, scores or gradient"
            ) from None


class Norm(StrEnum):
    """Norm that measures a perturbation."""

    LINF = "linf"
    L2 = "l2"
    L1 = "l1"
    L0 = "l0"

    @classmethod
    def parse(cls, text: str) -> Norm:
        """Read ``"linf"``, ``"l2"``, ``"l1"`` or ``"l0"``.

        Raises:
            UsageError: Any other word.
        """
        try:
            return cls[text.upper()]
        except KeyError:
            raise UsageError(f"Unknown norm {text!r}.", expected="linf, l2, l1 or l0") from None


@dataclass(frozen=True, slots=True)
class ThreatModel:
    """An attacker, declared before the attack.

    Attributes:
        norm: Norm of the perturbation.
        eps: Radius of the perturbation set. In input units for ``unit="input"``; as a fraction of each
            feature's range for ``unit="range"`` (tables, whose features have no common unit).
            For ``l0`` the number of features that may change.
        access: The most the attacker may see of the model.
        queries: Most model queries per sample, or ``None`` for as many as the attacks ask for.
        frozen: Names of features that the attacker cannot change.
        unit: ``"input"`` or ``"range"``.
        categories: Most categorical features of a table that the attacker may change in a row, beside what the
            norm allows on numbers. A one-hot group is one feature.

    Norm and access may be given as words.

    Raises:
        UsageError: ``eps`` is not finite and positive, ``queries`` is below 1, ``categories`` is negative, or
            ``norm``, ``access`` or ``unit`` is unknown.
    """

    norm: Norm = Norm.LINF
    eps: float = 8 / 255
    access: Access = Access.GRADIENT
    queries: int | None = None
    frozen: tuple[str, ...] = ()
    unit: str = "input"
    categories: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "norm", Norm.parse(self.norm))
        object.__setattr__(self, "access", Access.parse(self.access))
        if not (math.isfinite(self.eps) and self.eps > 0):
            raise UsageError(
                f"eps is {self.eps:g}.",
                expected="a finite radius above 0, in input units",
                remedy="pass e.g. --eps 0.1, or --eps 8/255 for images in [0, 1]",
            )
        if self.queries is not None and self.queries < 1:
            raise UsageError(f"The query budget is {self.queries}.", expected="at least 1 query per sample")
        if self.categories < 0:
            raise UsageError(f"{self.categories} categories may change.", expected="0 or more")
        if self.unit not in ("input", "range"):
            raise UsageError(f"Unknown unit of eps {self.unit!r}.", expected="input or range")
        if self.norm is Norm.L0 and self.eps < 1:
            raise UsageError(f"eps is {self.eps:g} under l0.", expected="a number of features, at least 1")

    @property
    def reach(self) -> str:
        """How far the attacker may go, in the words by which findings are known: ``linf eps=0.1 of range``."""
        unit = " of range" if self.unit == "range" else ""
        return f"{self.norm} eps={self.eps:.4g}{unit}{self._also}"

    @property
    def _also(self) -> str:
        if not self.categories:
            return ""
        return f" and {self.categories} {'category' if self.categories == 1 else 'categories'}"

    def __str__(self) -> str:
        unit = " of each feature's range" if self.unit == "range" else ""
        return f"{self.norm} eps={self.eps:.4g}{unit}{self._also}, {self.access} access"
