"""Functionally equivalent extraction of a network with one hidden ReLU layer, from its scores.

Along a line such a network is a broken line; it bends where one hidden unit goes from 0 to work. The slopes on the two
sides of a bend differ by the unit's weights times its effect on the classes, and all bends of a unit lie on one
hyperplane. Hyperplanes found, the effects are a linear regression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed

Ask = Callable[[np.ndarray], np.ndarray]
"""(n, m) float64 positions in [-1, 1] to (n, classes) centred logits at these very positions."""
_POINTS = 257
"""Queries along a line."""
_MOST_BENT = 0.4
"""Share of them at which a line may bend."""
_CLEAN = 4
"""Straight steps wanted on each side of a bend."""
_NOISE = 2.0**-22
"""Relative error of float32 logits."""
_STEP = 0.01
"""For gradients beside a bend; positions run from -1 to 1."""
_SHORT = 0.02
"""Half length of the lines on which a known unit is looked for again."""
_SAME = 1e-3
"""Distance from a known hyperplane below which a bend is one of its own."""
_IDLE = 10
"""Lines without a new unit after which the search ends."""
_ENOUGH = 15
"""Planes after which it is asked whether they are any."""
_MENDED, _PROBES = 40, 100
"""Most lines to inputs on which the layer is still wrong, and inputs that it is tried on before each."""
_MENDABLE = 1e-3
"""Relative error below which nothing is looked for any more."""


@dataclass(frozen=True, slots=True)
class Layer:
    """logits(z) = relu(z U' + c) A + z B + b, up to what is common to all classes.

    Units that never change inside the box are in the linear part, and so is the sign of each unit, which no answer
    shows otherwise than there.

    Attributes:
        normals: (units, m) float64, each of length 1; ``offsets`` (units,).
        effects: (units, classes).
        linear: (m + 1, classes), the constant last.
    """

    normals: np.ndarray
    offsets: np.ndarray
    effects: np.ndarray
    linear: np.ndarray

    def logits(self, z: np.ndarray) -> np.ndarray:
        """(n, classes) at positions (n, m)."""
        return np.asarray(_features(z, self.normals, self.offsets) @ np.vstack([self.effects, self.linear]))


def recover_layer(ask: Ask, m: int, *, seed: Seed, points: int | None = None) -> Layer:
    """Find the units whose hyperplanes cut the box, and what they do.

    Args:
        ask: The model; raises BudgetExhausted, which passes through.
        m: Number of positions.
        seed: Draws lines.
        points: Bends measured for each unit; about twice as many as there are positions unless given.

    Raises:
        Unavailable: No line shows a bend between straight pieces, or bends lie on no planes: the model is linear,
            smooth, or has more than one hidden layer.

    Source: Jagielski et al. 2020, High accuracy and high fidelity extraction, arXiv:1909.01838, section 6, after Milli
    et al. 2019, arXiv:1807.05185. Deviation: hyperplanes are fitted to many bends, which float32 places more exactly
    than slopes, and signs are left to the linear part.
    """
    rng, known = seed.generator(), _Planes(ask, m, points or 2 * m + 10)
    idle, vetted = 0, False
    while idle < _IDLE:
        found = known.search(rng.uniform(-1, 1, m), rng.uniform(-1, 1, m), rng)
        idle = 0 if found else idle + 1
        if len(known.normals) >= _ENOUGH and not vetted:
            vetted = True
            _require_planes(len(known.normals), len(known.layer(rng).normals))
    if not len(known.normals):
        raise Unavailable("No line through the inputs shows a bend between straight pieces.")
    layer = known.layer(rng)
    for _ in range(
        _MENDED
    ):  # units that change in a corner only: look between where the layer is right and wrong
        z = np.clip(2 * rng.uniform(-1, 1, (_PROBES, m)), -1, 1)
        f = ask(z)
        wrong = np.abs(layer.logits(z) - f).max(1)
        if wrong.max() < _MENDABLE * (1 + np.abs(f).max()):
            break
        if known.search(z[wrong.argmin()], z[wrong.argmax()], rng):
            layer = known.layer(rng)
    return layer


def _require_planes(found: int, true: int) -> None:
    """Refuse a model most of whose bends lie on no plane.

    Raises:
        Unavailable: As said.
    """
    if true < found / 4:
        raise Unavailable(
            f"Of {found} bends {found - true} do not lie on planes.",
            expected="a network with one hidden layer of ReLU units",
        )


class _Planes:
    """Hyperplanes found so far, and by how much slopes were seen to change across each."""

    def __init__(self, ask: Ask, m: int, points: int) -> None:
        self._ask, self._points = ask, points
        self.normals, self.offsets, self.seen = np.zeros((0, m)), np.zeros(0), np.zeros(0)

    def search(self, start: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> int:
        """Add the planes of new units that bend on a line; how many there were."""
        before = len(self.normals)
        for bend, along in _bends(self._ask, start, end):
            if (np.abs(self.normals @ bend + self.offsets) < _SAME).any():
                continue
            unit = _unit(self._ask, bend, along)
            if unit is None:
                continue
            plane = _fitted(self._ask, unit, self._points, rng)
            alike = np.isclose(np.abs(self.normals @ plane[:-1]), 1, atol=1e-5)
            if not (alike & np.isclose(np.abs(self.offsets), abs(plane[-1]), atol=1e-3)).any():
                self.normals = np.vstack([self.normals, plane[:-1]])
                self.offsets = np.append(self.offsets, plane[-1])
                self.seen = np.append(self.seen, np.linalg.norm(unit.effect))
        return len(self.normals) - before

    def layer(self, rng: np.random.Generator) -> Layer:
        """The effects of the units, by regression on random positions."""
        normals, offsets, m = self.normals, self.offsets, self.normals.shape[1]
        z = np.clip(1.5 * rng.uniform(-1, 1, (3 * (m + len(normals) + 1) + 50, m)), -1, 1)
        f = self._ask(z)
        # A plane through bends of several units is none: its effect vanishes beside those of the true ones.
        true = np.linalg.norm(_solved(z, f, normals, offsets)[: len(normals)], axis=1) > self.seen / 2
        solved = _solved(z, f, normals[true], offsets[true])
        return Layer(normals[true], offsets[true], solved[: true.sum()], solved[true.sum() :])


def _solved(z: np.ndarray, f: np.ndarray, normals: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.lstsq(_features(z, normals, offsets), f, rcond=None)[0])


def _features(z: np.ndarray, normals: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.hstack([np.maximum(z @ normals.T + offsets, 0), z, np.ones((len(z), 1))])


def _bends(ask: Ask, start: np.ndarray, end: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where a line bends once between straight pieces, with a step along it that stays inside them."""
    t = np.linspace(0, 1, _POINTS)
    f = ask(start + t[:, None] * (end - start))
    turn = np.abs(f[2:] - 2 * f[1:-1] + f[:-2]).max(1)
    bent = np.flatnonzero(turn > 16 * _NOISE * (1 + np.abs(f).max()))
    if len(bent) > _MOST_BENT * _POINTS:
        raise Unavailable(
            f"Along a line the scores bend at {len(bent)} of {_POINTS} points.",
            expected="a network with one small hidden layer of ReLU units, straight but for a bend at each",
        )
    found = []
    for group in np.split(bent, np.flatnonzero(np.diff(bent) > 1) + 1):
        # a bend between two samples turns at both of them, a bend at a sample there alone
        if not 1 <= len(group) <= 2 or group[0] < _CLEAN or group[-1] + 2 + _CLEAN >= _POINTS:
            continue
        left, right = group[0] + 1 - _CLEAN, group[-1] + 1 + _CLEAN
        if ((bent >= left - 1) & (bent <= right - 1)).sum() != len(group):
            continue
        place, _ = _crossing(t, f, (left, group[0] + 1), (group[-1] + 1, right))
        if t[left] < place < t[right]:
            found.append((start + place * (end - start), _CLEAN / 2 * t[1] * (end - start)))
    return found


def _crossing(
    t: np.ndarray, f: np.ndarray, left: tuple[int, int], right: tuple[int, int]
) -> tuple[float, np.ndarray]:
    """Where the straight lines through two ends of pieces cross, weighted over the classes by their bend; the bend."""
    (a, b), (c, d) = left, right
    before, after = (f[b] - f[a]) / (t[b] - t[a]), (f[d] - f[c]) / (t[d] - t[c])
    bend = after - before
    size = max(float((bend**2).sum()), 1e-300)
    return float(((f[a] - before * t[a] - f[c] + after * t[c]) * bend).sum() / size), bend


@dataclass(frozen=True, slots=True)
class _Unit:
    """A bend of a unit, the direction of its weights there, and by how much slopes along it change."""

    place: np.ndarray
    normal: np.ndarray
    effect: np.ndarray


def _unit(ask: Ask, bend: np.ndarray, along: np.ndarray) -> _Unit | None:
    """From the slopes on both sides; ``None`` where more than one unit bends."""
    steps = np.where(bend > 0, -_STEP, _STEP) * np.eye(len(bend))
    slopes = []
    for side in (-1, 1):
        f = ask(np.vstack([bend + side * along, bend + side * along + steps]))
        slopes.append((f[1:] - f[0]) / steps.diagonal()[:, None])
    jump = slopes[1] - slopes[0]
    left, values, _ = np.linalg.svd(jump, full_matrices=False)
    if values[1] > 0.1 * values[0]:
        return None
    normal = left[:, 0] * np.sign(left[:, 0] @ along)
    return _Unit(bend, normal, jump.T @ normal)


def _fitted(ask: Ask, unit: _Unit, count: int, rng: np.random.Generator) -> np.ndarray:
    """(m + 1,) hyperplane through bends of a unit, step by step farther away; its normal has length 1."""
    m = len(unit.place)
    plane = np.append(unit.normal, -unit.normal @ unit.place)
    for reach in (0.05, 0.3, 1.0):
        aims = np.clip(unit.place + reach * rng.uniform(-1, 1, (count, m)), -0.95, 0.95)
        aims -= (aims @ plane[:-1] + plane[-1])[:, None] * plane[:-1]
        aims = aims[(np.abs(aims) < 0.99).all(1)]
        places = _bends_near(ask, aims, plane[:-1], unit.effect)
        for _ in range(
            3
        ):  # a bend with another unit's on the same line lies off the plane: the worst tenth goes
            if len(places) > m:
                plane = _through(places, unit.normal)
                off = np.abs(places @ plane[:-1] + plane[-1])
                places = places[off <= np.quantile(off, 0.9)]
    return plane


def _through(places: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(m + 1,) plane of least squares through places, on the side of a normal."""
    middle = places.mean(0)
    direction = np.linalg.svd(places - middle)[2][-1]
    direction *= np.sign(direction @ normal)
    return np.append(direction, -direction @ middle)


def _bends_near(ask: Ask, aims: np.ndarray, normal: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Bends with a unit's effect on short lines through the aims; lines that bend otherwise are left out."""
    t = np.array([-1.0, -0.8, -0.6, 0.6, 0.8, 1.0]) * _SHORT
    z = aims[:, None] + t[:, None] * normal
    inside = (np.abs(z) <= 1).all((1, 2))
    if not inside.any():
        return aims[:0]
    f = ask(z[inside].reshape(-1, aims.shape[1])).reshape(int(inside.sum()), len(t), -1)
    found = []
    for aim, row in zip(aims[inside], f, strict=True):
        place, bend = _crossing(t, row, (0, 2), (3, 5))
        if abs(place) < 0.6 * _SHORT and np.linalg.norm(bend - effect) < 0.05 * np.linalg.norm(effect):
            found.append(aim + place * normal)
    return np.array(found).reshape(-1, aims.shape[1])
