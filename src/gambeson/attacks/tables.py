"""Rows of a table that could exist: relations kept while numbers move, categories changed one by one.

Numbers move within the norm. A row that breaks a relation is drawn back towards the sample: the sample keeps every
relation, and linear relations hold on a whole segment if they hold at both ends. The left side of an equality is
computed from the rest instead of moved. Categories have no norm: the threat model says how many may change.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.data.schema import Determines, Kind, Linear, Schema

_HALVINGS = 4
_INSIDE = 1 - 1e-6
"""Share of the way to a limit that a repaired row goes at most, so that rounding leaves it on the right side."""


@dataclass(frozen=True, slots=True)
class TableRules:
    """What a table's schema and threat model demand of a row beyond bounds and norm.

    Attributes:
        schema: Columns, relations, one-hot groups.
        budget: Most categorical features, one-hot groups included, that may change in a row.
        pinned: (d,) bool, columns that nothing may change.
        still: (d,) bool, columns that a perturbation does not move by itself.
        measured: (d,) bool, columns whose change counts in the norm.
        pivots: (e,) int64, the computed column of each equality.
        follow: (e, d) float64, how far each computed column moves per unit of each other column.
        limits: (m, d) float64 and ``slack``'s weights: inequalities ``limits @ x + offsets <= 0``.
        offsets: (m,) float64.
        strict: (m,) bool, inequalities that must not be 0.
        parts: (d,) int64, columns with the same number are tied together by relations; -1 without any.
        choices: For each categorical feature that may change, its columns and how many categories it has.
        determined: ``(place of the source, place of the target, (c,) values)``.
    """

    schema: Schema
    budget: int
    pinned: Tensor
    still: Tensor
    measured: Tensor
    pivots: Tensor
    follow: Tensor
    limits: Tensor
    offsets: Tensor
    strict: Tensor
    parts: Tensor
    choices: tuple[tuple[tuple[int, ...], int], ...]
    determined: tuple[tuple[int, int, Tensor], ...]

    @classmethod
    def of(cls, threat: ThreatModel, schema: Schema) -> TableRules | None:
        """The rules, or ``None`` where there are none.

        Raises:
            UsageError: Categories may change, but the data has none that can.
        """
        if not (schema.relations or schema.one_hot or threat.categories):
            return None
        frozen = {f.name for f in schema.features if f.frozen} | set(threat.frozen)
        choices = _choices(schema, frozen) if threat.categories else ()
        if threat.categories and not choices:
            raise UsageError(
                f"{threat.categories} categories may change, but the data has no categorical feature that can.",
                remedy="leave --categories out, or declare some: --data-option categorical=NAMES or one_hot=colour_*",
            )
        recoded = {place for columns, _ in choices for place in columns}
        determined = tuple(
            (schema.place(r.source), schema.place(r.target), torch.tensor(r.values, dtype=torch.float32))
            for r in schema.relations
            if isinstance(r, Determines)
        )
        follows = {target for source, target, _ in determined if source in recoded}
        moved = {target for _, target, _ in determined}
        still = torch.from_numpy(schema.frozen_mask(threat.frozen)).clone()
        still[list(moved)] = True
        pivots, follow = _equalities(schema, still)
        pinned = still.clone()
        pinned[[*recoded, *follows]] = False
        still[pivots] = True
        measured = torch.ones_like(still)
        measured[[*recoded, *follows]] = False
        limits, offsets, strict = _inequalities(schema)
        return cls(
            schema, threat.categories, pinned, still, measured, pivots, follow, limits, offsets, strict,
            _parts(schema), choices, determined,
        )  # fmt: skip

    def to(self, device: torch.device) -> TableRules:
        """The same with its tensors on ``device``."""
        moved = {
            field.name: getattr(self, field.name).to(device)
            for field in dataclasses.fields(self)
            if isinstance(getattr(self, field.name), Tensor)
        }
        determined = tuple((a, b, values.to(device)) for a, b, values in self.determined)
        return dataclasses.replace(self, **moved, determined=determined)

    def hold(self, x0: Tensor, x: Tensor) -> Tensor:
        """Whether each row (n, d) keeps all relations and changes no more categories than allowed: (n,) bool.

        Shares no code with :meth:`repair`: relations are evaluated as the user wrote them.
        """
        rows = torch.from_numpy(self.schema.consistent(x.detach().cpu().numpy())).to(x.device)
        changed = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        for columns, _ in self.choices:
            block = list(columns)
            changed += (x[:, block] != x0[:, block]).any(1)
        return rows & (changed <= self.budget)

    def pull(self, grad: Tensor) -> Tensor:
        """The gradient (n, d) with respect to the columns that move by themselves (chain rule)."""
        if not len(self.pivots):
            return grad
        through = grad[:, self.pivots].double() @ self.follow
        return grad + through.to(grad.dtype)

    def repair(self, base: Tensor, x: Tensor, reach: Tensor) -> Tensor:
        """Rows that keep all relations, as near to ``x`` as drawing back towards ``base`` allows.

        Args:
            base: (n, d) rows that keep them.
            x: (n, d) rows within the bounds; computed columns are ignored.
            reach: (2, n, d) lowest and highest change of each column, in input units.
        """
        if not bool((self.parts >= 0).any()):
            return x
        delta = (x.double() - base.double()) * ~self.still
        delta = self._draw_back(base, delta, reach)
        delta = self._whole(delta)
        for _ in range(_HALVINGS):
            broken = self._broken(base, self._with_pivots(delta), reach)
            if not bool(broken.any()):
                break
            delta = self._whole(torch.where(self._tied(broken), delta / 2, delta))
        else:
            broken = self._broken(base, self._with_pivots(delta), reach)
            delta = torch.where(self._tied(broken), 0.0, delta)
        moved = (base.double() + self._with_pivots(delta)).to(x.dtype)
        return torch.where(self.parts >= 0, moved, x)

    def write(self, x: Tensor, codes: Tensor) -> Tensor:
        """Rows with other categories.

        Args:
            x: (n, d) rows.
            codes: (n, c) category of each of ``choices``.

        Returns:
            (n, d) rows, determined columns included.
        """
        x = x.clone()
        for number, (columns, count) in enumerate(self.choices):
            if len(columns) == 1:
                x[:, columns[0]] = codes[:, number].to(x.dtype)
            else:
                hot = torch.nn.functional.one_hot(codes[:, number], count)
                x[:, list(columns)] = hot.to(x.dtype)
        for source, target, values in self.determined:
            new = values[x[:, source].long()].to(x.dtype)
            x[:, target] = torch.where(new.isnan(), x[:, target], new)
        return x

    def read(self, x: Tensor) -> Tensor:
        """(n, c) int64 category of each of ``choices``."""
        found = [
            x[:, columns[0]].long() if len(columns) == 1 else x[:, list(columns)].argmax(1)
            for columns, _ in self.choices
        ]
        return torch.stack(found, 1) if found else torch.zeros(len(x), 0, dtype=torch.int64, device=x.device)

    def _with_pivots(self, delta: Tensor) -> Tensor:
        """Changes with the computed columns filled in."""
        if not len(self.pivots):
            return delta
        delta = delta.clone()
        delta[:, self.pivots] = delta @ self.follow.T
        return delta

    def _whole(self, delta: Tensor) -> Tensor:
        """Whole numbers stay whole: towards the sample."""
        integer = torch.from_numpy(self.schema.integer_mask()).to(delta.device)
        return torch.where(integer, delta.trunc(), delta)

    def _draw_back(self, base: Tensor, delta: Tensor, reach: Tensor) -> Tensor:
        """Scale the columns that hang together so far that bounds and inequalities hold."""
        whole = self._with_pivots(delta)
        count = int(self.parts.max()) + 1
        share = torch.ones(len(delta), count, dtype=torch.float64, device=delta.device)
        for pivot in self.pivots.tolist():
            change = whole[:, pivot]
            room = torch.where(change > 0, reach[1, :, pivot], -reach[0, :, pivot]).double()
            part = int(self.parts[pivot])
            share[:, part] = torch.minimum(share[:, part], _share(room, change.abs()))
        for weights, offset in zip(self.limits, self.offsets, strict=True):
            part = int(self.parts[int(weights.abs().argmax())])
            slack = -(base.double() @ weights + offset)
            share[:, part] = torch.minimum(share[:, part], _share(slack, whole @ weights))
        return torch.where(self.parts >= 0, delta * share[:, self.parts.clamp_min(0)], delta)

    def _tied(self, parts: Tensor) -> Tensor:
        """(n, d) bool: the columns of the flagged groups (n, parts)."""
        return parts[:, self.parts.clamp_min(0)] & (self.parts >= 0)

    def _broken(self, base: Tensor, delta: Tensor, reach: Tensor) -> Tensor:
        """(n, parts) bool: which groups of tied columns still break something."""
        count = int(self.parts.max()) + 1
        broken = torch.zeros(len(delta), count, dtype=torch.bool, device=delta.device)
        integer = torch.from_numpy(self.schema.integer_mask()).to(delta.device)
        for pivot in self.pivots.tolist():
            change = delta[:, pivot]
            room = 1e-6 * reach[:, :, pivot].abs().amax(0).double()
            wrong = (change > reach[1, :, pivot] + room) | (change < reach[0, :, pivot] - room)
            if integer[pivot]:
                wrong |= change != change.round()
            broken[:, int(self.parts[pivot])] |= wrong
        x = (base.double() + delta).to(base.dtype).double()
        for weights, offset, strict in zip(self.limits, self.offsets, self.strict, strict=True):
            total = x @ weights + offset
            part = int(self.parts[int(weights.abs().argmax())])
            broken[:, part] |= (total >= 0) if strict else (total > 0)
        moved = (delta != 0).to(torch.float64)
        return broken & torch.stack([moved[:, self.parts == p].any(1) for p in range(count)], 1)


def _share(room: Tensor, wanted: Tensor) -> Tensor:
    """How much of a change fits: 1 where it does not go towards the limit."""
    fits = _INSIDE * room.clamp_min(0) / wanted.clamp_min(1e-300)
    return torch.where(wanted > 0, fits.clamp_max(1), 1.0)


def _choices(schema: Schema, frozen: set[str]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Categorical features that may change: categories, and one-hot groups without a frozen column."""
    single = [
        ((place,), len(f.categories))
        for place, f in enumerate(schema.features)
        if f.kind is Kind.CATEGORICAL and f.name not in frozen and len(f.categories) > 1
    ]
    groups = [
        (tuple(schema.place(name) for name in group), len(group))
        for group in schema.one_hot
        if not frozen & set(group)
    ]
    return (*single, *groups)


def _equalities(schema: Schema, still: Tensor) -> tuple[Tensor, Tensor]:
    """Each equality solved for a column that can move: the columns, and the weights of the others."""
    rows = [_weights(schema, r) for r in schema.relations if isinstance(r, Linear) and r.sense == "="]
    pivots: list[int] = []
    solved: list[np.ndarray] = []
    movable = ~still.numpy()
    for row in rows:
        for pivot, other in zip(pivots, solved, strict=True):
            row = row - row[pivot] * other
        able = [int(i) for i in np.flatnonzero(row) if movable[i]]
        if not able:
            continue
        pivot = able[0]
        row = row / row[pivot]
        solved = [other - other[pivot] * row for other in solved]
        pivots.append(pivot)
        solved.append(row)
    follow = -np.array(solved).reshape(len(pivots), len(still))
    follow[:, pivots] = 0
    return torch.tensor(pivots, dtype=torch.int64), torch.from_numpy(follow)


def _inequalities(schema: Schema) -> tuple[Tensor, Tensor, Tensor]:
    linear = [r for r in schema.relations if isinstance(r, Linear) and r.sense != "="]
    weights = np.array([_weights(schema, r) for r in linear]).reshape(len(linear), len(schema.features))
    offsets = torch.tensor([r.constant for r in linear], dtype=torch.float64)
    return (
        torch.from_numpy(weights),
        offsets,
        torch.tensor([r.sense == "<" for r in linear], dtype=torch.bool),
    )


def _weights(schema: Schema, relation: Linear) -> np.ndarray:
    row = np.zeros(len(schema.features))
    for name, weight in relation.terms:
        row[schema.place(name)] += weight
    return row


def _parts(schema: Schema) -> Tensor:
    """Numbers of the groups of columns that linear relations tie together."""
    parts = list(range(len(schema.features)))
    tied: set[int] = set()
    for relation in schema.relations:
        if isinstance(relation, Linear):
            places = [schema.place(name) for name, _ in relation.terms]
            tied |= set(places)
            for place in places:
                old, new = parts[place], parts[places[0]]
                parts = [new if part == old else part for part in parts]
    numbers = {part: i for i, part in enumerate(dict.fromkeys(parts[p] for p in sorted(tied)))}
    found = [numbers[part] if place in tied else -1 for place, part in enumerate(parts)]
    return torch.tensor(found, dtype=torch.int64)
