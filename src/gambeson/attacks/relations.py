"""Linear relations of a table while its numbers move: computed columns, and rows drawn back until all hold.

An equality is solved for one of its columns, which is computed from the others instead of moved. For the rest a row
that breaks something is drawn back towards the sample: the sample keeps every relation, and a linear relation that
holds at both ends of a segment holds on all of it. Columns that relations tie together are drawn back together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from gambeson.data.schema import Linear, Schema

_HALVINGS = 6
"""Times that a change is halved until whole numbers fit, before it is given up."""
_INSIDE = 1 - 1e-6
"""Share of the way to a limit that a row goes at most, so that rounding leaves it on the right side."""
_NOTHING = 1e-9
"""Weight that elimination leaves of a column by rounding alone."""


@dataclass(frozen=True, slots=True)
class LinearRules:
    """Equalities solved for their computed columns, and inequalities ``limits @ x + offsets <= 0``.

    Attributes:
        movable: (d,) bool, columns that a perturbation moves by itself.
        integer: (d,) bool, columns of whole numbers.
        pivots: (e,) int64, the computed column of each equality.
        follow: (e, d) float64, how far it moves per unit of each other column.
        limits: (m, d) float64.
        offsets: (m,) float64.
        strict: (m,) bool, inequalities that must not be 0.
        parts: (d,) int64, columns with the same number are tied together; -1 for those in no relation.
        limit_parts: (m,) int64, the part of each inequality.
    """

    movable: Tensor
    integer: Tensor
    pivots: Tensor
    follow: Tensor
    limits: Tensor
    offsets: Tensor
    strict: Tensor
    parts: Tensor
    limit_parts: Tensor

    @classmethod
    def of(cls, schema: Schema, free: np.ndarray) -> LinearRules:
        """The linear relations of a schema.

        Args:
            schema: Columns and relations.
            free: (d,) bool, columns that may move.
        """
        places = {feature.name: place for place, feature in enumerate(schema.features)}
        linear = [relation for relation in schema.relations if isinstance(relation, Linear)]
        limits = [relation for relation in linear if relation.sense != "="]
        integer = schema.integer_mask()
        equal = _weights([relation for relation in linear if relation.sense == "="], places)
        pivots, follow = _solve(equal, free, integer)
        parts = _parts(linear, places)
        movable = free.copy()
        movable[pivots] = False
        weights = _weights(limits, places)
        return cls(
            movable=torch.from_numpy(movable),
            integer=torch.from_numpy(integer),
            pivots=torch.tensor(pivots, dtype=torch.int64),
            follow=torch.from_numpy(follow),
            limits=torch.from_numpy(weights),
            offsets=torch.tensor([relation.constant for relation in limits], dtype=torch.float64),
            strict=torch.tensor([relation.sense == "<" for relation in limits], dtype=torch.bool),
            parts=torch.from_numpy(parts),
            limit_parts=torch.from_numpy(parts[np.abs(weights).argmax(1)] if len(limits) else parts[:0]),
        )

    def to(self, device: torch.device) -> LinearRules:
        """The same with its tensors on ``device``."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    @property
    def tied(self) -> Tensor:
        """(d,) bool: columns that occur in a linear relation."""
        return self.parts >= 0

    def pull(self, grad: Tensor) -> Tensor:
        """The gradient (n, d) with respect to the columns that move by themselves (chain rule)."""
        if not len(self.pivots):
            return grad
        return grad + (grad[:, self.pivots].double() @ self.follow).to(grad.dtype)

    def repair(self, base: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Rows that keep all relations, as near to ``x`` as drawing back towards ``base`` allows.

        Args:
            base: (n, d) rows that keep them.
            x: (n, d) rows within the bounds; computed columns are ignored.
            low: (n, d) smallest allowed values; ``base`` is not below them.
            high: (n, d) largest.
        """
        if not bool(self.tied.any()):
            return x
        delta = torch.where(self.movable & self.tied, x.double() - base.double(), 0.0).nan_to_num()
        delta = self.whole(self._draw_back(base, delta, low, high))
        for _ in range(_HALVINGS):
            row, broken = self._check(base, delta, low, high)
            if not bool(broken.any()):
                break
            delta = self.whole(torch.where(broken, delta / 2, delta))
        else:
            _, broken = self._check(base, delta, low, high)
            row, _ = self._check(base, torch.where(broken, 0.0, delta), low, high)
        return torch.where(self.tied, row, x)

    def _with_pivots(self, delta: Tensor) -> Tensor:
        """Changes with the computed columns filled in."""
        delta = delta.clone()
        delta[:, self.pivots] = delta @ self.follow.T
        return delta

    def whole(self, delta: Tensor) -> Tensor:
        """Changes (n, d) with those of whole numbers cut to whole ones, towards the sample."""
        return torch.where(self.integer, delta.trunc(), delta)

    def _draw_back(self, base: Tensor, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Scale each part so far that the bounds of its computed columns and its inequalities hold."""
        whole, start = self._with_pivots(delta), base.double()
        change = whole[:, self.pivots]
        room = torch.where(change > 0, high[:, self.pivots] - base[:, self.pivots], 0.0)
        room = torch.where(change < 0, base[:, self.pivots] - low[:, self.pivots], room)
        slack = -(start @ self.limits.T + self.offsets)
        shares = torch.cat([_share(room, change.abs()), _share(slack, whole @ self.limits.T)], 1)
        owners = torch.cat([self.parts[self.pivots], self.limit_parts])
        least = torch.ones(len(delta), self._count, dtype=torch.float64, device=delta.device)
        least.scatter_reduce_(1, owners.expand(len(delta), -1), shares, "amin")
        return delta * least[:, self.parts.clamp_min(0)]

    @property
    def _count(self) -> int:
        return int(self.parts.max()) + 1

    def _check(self, base: Tensor, delta: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """The rows (n, d) that changes make, and (n, d) bool: columns of the parts that break something."""
        change = self._with_pivots(delta)
        x = (base.double() + change).to(base.dtype)
        at = self.pivots
        wrong = (x[:, at] < low[:, at]) | (x[:, at] > high[:, at])
        wrong |= self.integer[at] & (x[:, at] != x[:, at].round())
        before, after = (rows.double() @ self.limits.T + self.offsets for rows in (base, x))
        beyond = torch.where(self.strict, after >= 0, after > before.clamp_min(0))
        owners = torch.cat([self.parts[at], self.limit_parts])
        broken = torch.zeros(len(x), self._count, dtype=torch.int64, device=x.device)
        broken.scatter_reduce_(1, owners.expand(len(x), -1), torch.cat([wrong, beyond], 1).long(), "amax")
        return x, broken[:, self.parts.clamp_min(0)].bool() & self.tied


def _share(room: Tensor, wanted: Tensor) -> Tensor:
    """How much of a change fits: 1 where it does not go towards the limit. float64, like its arguments' shape."""
    fits = _INSIDE * room.double().clamp_min(0) / wanted.double().clamp_min(1e-300)
    return torch.where(wanted > 0, fits.clamp_max(1), 1.0)


def _weights(relations: list[Linear], places: Mapping[str, int]) -> np.ndarray:
    rows = np.zeros((len(relations), len(places)))
    for row, relation in zip(rows, relations, strict=True):
        for name, weight in relation.terms:
            row[places[name]] += weight
    return rows


def _solve(equal: np.ndarray, free: np.ndarray, integer: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Gauss-Jordan elimination: each equality solved for a free column.

    Returns:
        The columns, and (e, d) weights by which they follow the others. An equality without a free column says
        nothing about what moves.
    """
    pivots: list[int] = []
    solved: list[np.ndarray] = []
    for row in equal:
        for pivot, other in zip(pivots, solved, strict=True):
            row = row - row[pivot] * other
        able = np.flatnonzero((np.abs(row) > _NOTHING) & free)
        if not len(able):
            continue
        pivot = min(able.tolist(), key=lambda place: _awkward(row, place, integer))
        row = row / row[pivot]
        solved = [other - other[pivot] * row for other in solved]
        pivots.append(pivot)
        solved.append(row)
    follow = -np.array(solved).reshape(len(pivots), len(free))
    follow[np.abs(follow) < _NOTHING] = 0
    follow[:, pivots] = 0
    return pivots, follow


def _awkward(row: np.ndarray, place: int, integer: np.ndarray) -> int:
    """How badly a column suits as the computed one: a whole number must come out whole."""
    if not integer[place]:
        return 0
    others = np.delete(row / row[place], place)
    whole = np.abs(others - others.round()) < _NOTHING
    return 1 if (whole & (np.delete(integer, place) | (others == 0))).all() else 2


def _parts(relations: list[Linear], places: Mapping[str, int]) -> np.ndarray:
    """(d,) numbers of the groups of columns that relations tie together, -1 for columns in none."""
    parts = np.full(len(places), -1)
    for number, relation in enumerate(relations):
        mine = [places[name] for name, _ in relation.terms]
        joined = set(parts[mine]) - {-1}
        parts[np.isin(parts, list(joined))] = number
        parts[mine] = number
    return np.unique(parts, return_inverse=True)[1].astype(np.int64) - int((parts < 0).any())
