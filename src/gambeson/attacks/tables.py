"""Rows of a table that could exist: numbers within the norm, relations kept, categories changed by a budget.

Categories have no norm: the threat model says how many of them may change in a row, beside what the norm allows on
numbers. What a category determines changes with it and counts neither as a category nor in the norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.relations import LinearRules
from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.data.schema import Determines, Kind, Schema


@dataclass(frozen=True, slots=True)
class TableRules:
    """What a table's schema and threat model demand of a row beyond bounds and norm.

    Attributes:
        schema: Columns, relations, one-hot groups.
        budget: Most categorical features, one-hot groups included, that may change in a row.
        linear: Its linear relations.
        pinned: (d,) bool, columns that nothing may change.
        measured: (d,) bool, columns whose change counts in the norm.
        choices: For each categorical feature that may change, its columns and how many categories it has.
        determined: ``(place of the category, place of what it determines, (c,) values)``, in the order in which
            they are to be written.
    """

    schema: Schema
    budget: int
    linear: LinearRules
    pinned: Tensor
    measured: Tensor
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
        arrows = _in_order([r for r in schema.relations if isinstance(r, Determines)])
        targets = {r.target for r in arrows}
        choices = _choices(schema, frozen | targets) if threat.categories else ()
        if threat.categories and not choices:
            raise UsageError(
                f"A budget of {threat.categories} categories: the data has no categorical feature that may change.",
                remedy="leave --categories out, or declare some: --data-option categorical=NAMES or one_hot=colour_*",
            )
        free = ~schema.frozen_mask(threat.frozen)
        free[[schema.place(name) for name in targets]] = False
        recoded = {place for columns, _ in choices for place in columns}
        for arrow in arrows:
            if schema.place(arrow.source) in recoded and arrow.target not in frozen:
                recoded.add(schema.place(arrow.target))
        pinned, measured = torch.from_numpy(~free), torch.ones(len(free), dtype=torch.bool)
        pinned[list(recoded)] = False
        measured[list(recoded)] = False
        determined = tuple(
            (schema.place(r.source), schema.place(r.target), torch.tensor(r.values, dtype=torch.float32))
            for r in arrows
        )
        linear = LinearRules.of(schema, free)
        return cls(schema, threat.categories, linear, pinned, measured, choices, determined)

    def to(self, device: torch.device) -> TableRules:
        """The same with its tensors on ``device``."""
        return replace(
            self,
            linear=self.linear.to(device),
            pinned=self.pinned.to(device),
            measured=self.measured.to(device),
            determined=tuple((a, b, values.to(device)) for a, b, values in self.determined),
        )

    def hold(self, x0: Tensor, x: Tensor) -> Tensor:
        """Whether each row (n, d) could exist and changes no more than allowed: (n,) bool.

        Shares no code with ``linear.repair``: relations are evaluated as the user wrote them.
        """
        rows = torch.from_numpy(self.schema.consistent(x.detach().cpu().numpy())).to(x.device)
        changed = x != x0
        count = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        for columns, _ in self.choices:
            count += changed[:, list(columns)].any(1)
        return rows & ~(changed & self.pinned).any(1) & (count <= self.budget)

    def write(self, x: Tensor, codes: Tensor) -> Tensor:
        """Rows with other categories, and with what these determine.

        Args:
            x: (n, d) rows.
            codes: (n, c) category of each of ``choices``.
        """
        x = x.clone()
        for number, (columns, count) in enumerate(self.choices):
            if len(columns) == 1:
                x[:, columns[0]] = codes[:, number].to(x.dtype)
            else:
                x[:, list(columns)] = torch.nn.functional.one_hot(codes[:, number], count).to(x.dtype)
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


def _choices(schema: Schema, fixed: set[str]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Categorical features that may change: categories, and one-hot groups without a fixed column."""
    single = [
        ((place,), len(f.categories))
        for place, f in enumerate(schema.features)
        if f.kind is Kind.CATEGORICAL and f.name not in fixed and len(f.categories) > 1
    ]
    groups = [
        (tuple(schema.place(name) for name in group), len(group))
        for group in schema.one_hot
        if not fixed & set(group)
    ]
    return (*single, *groups)


def _in_order(arrows: Sequence[Determines]) -> list[Determines]:
    """Arrows with their sources written first; one that leads back to an earlier source is only checked."""
    ordered: list[Determines] = []
    waiting = list(arrows)
    while waiting:
        targets = {arrow.target for arrow in waiting}
        ready = [arrow for arrow in waiting if arrow.source not in targets] or waiting[:1]
        sources = {arrow.source for arrow in ordered}
        ordered += [arrow for arrow in ready if arrow.target not in sources]
        waiting = [arrow for arrow in waiting if arrow not in ready]
    return ordered
