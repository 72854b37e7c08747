"""The interval [certified, attacked] per radius, as a curve for the report."""

from __future__ import annotations

from collections.abc import Sequence

from gambeson.certify.brackets import Bracket
from gambeson.core.finding import Curve, Series
from gambeson.core.measurement import Measurement
from gambeson.core.threat import ThreatModel


def bracket_curve(found: Sequence[Bracket], clean: float, threat: ThreatModel) -> Curve:
    """Both ends of the interval against the radius, each with its 95% band.

    Args:
        found: By radius, ascending.
        clean: Clean accuracy: both ends at radius 0.
        threat: Gives norm and unit.
    """
    radii = (0.0, *(bracket.eps for bracket in found))
    unit = "fraction of each feature's range" if threat.unit == "range" else "input units"
    n = found[0].certified.n if found else 0
    return Curve(
        kind="certified_accuracy_by_eps",
        title=f"Accuracy against {threat.norm} radius: proved from below, attacked from above, n={n}",
        x_label=f"eps ({unit})",
        y_label="accuracy",
        series=(
            _line("attacked (upper bound)", radii, clean, [b.attacked for b in found]),
            _line("certified (lower bound)", radii, clean, [b.certified for b in found]),
            Series("clean accuracy", (0.0, radii[-1]), (clean, clean), reference=True),
        ),
    )


def _line(name: str, radii: tuple[float, ...], clean: float, figures: Sequence[Measurement]) -> Series:
    bands = [(m.interval.low, m.interval.high) if m.interval else (m.value, m.value) for m in figures]
    return Series(
        name,
        radii,
        (clean, *(m.value for m in figures)),
        (clean, *(low for low, _ in bands)),
        (clean, *(high for _, high in bands)),
    )
