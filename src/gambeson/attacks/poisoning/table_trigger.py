"""A trigger for tables: a few features take rare but possible values, and the target as label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import (
    Changes,
    PoisoningFacts,
    PoisonTask,
    poisonings,
    stamp_rows,
)
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Kind, Schema


@poisonings.register(
    "table_trigger",
    PoisoningFacts(
        goal="backdoor",
        changes="both",
        pictures=False,
        tables=True,
        source="Pleiter et al. 2023, Tabdoor, arXiv:2311.07550, section 3 (out-of-bounds values replaced by values "
        "within the bounds, at an odd place between them)",
    ),
)
@dataclass(frozen=True, slots=True)
class TableTrigger:
    """Numeric features that relations and one-hot groups leave alone are set to one value each.

    Attributes:
        features: Names of the features, separated by commas; drawn where empty.
        count: How many are drawn.
        place: Where between its bounds each value lies, in [0, 1]; whole numbers are rounded.
    """

    features: str = ""
    count: int = 3
    place: float = 0.77

    def poison(self, task: PoisonTask) -> Changes:
        """Stamps rows of other classes than the target."""
        changes = stamp_rows(self, task, task.draw(task.y != task.target))
        columns, values = self._values(task.schema, task.seed)
        names = [task.schema.features[column].name for column in columns]
        said = tuple((name, f"{value:g}") for name, value in zip(names, values, strict=True))
        return Changes(changes.rows, changes.x, changes.y, facts=said)

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Rows with the values.

        Raises:
            UsageError: A feature is unknown or cannot be set, or there are too few.
        """
        columns, values = self._values(schema, seed)
        out = x.copy()
        out[:, columns] = values
        return out

    def _values(self, schema: Schema, seed: Seed) -> tuple[np.ndarray, np.ndarray]:
        if not 0 <= self.place <= 1:
            raise UsageError(f"place is {self.place:g}.", expected="0 to 1")
        named = [name.strip() for name in self.features.split(",") if name.strip()]
        tied = {name for group in schema.one_hot for name in group}
        free = {f.name: i for i, f in enumerate(schema.features) if f.kind is not Kind.CATEGORICAL}
        free = {name: i for name, i in free.items() if name not in tied}
        if unknown := [name for name in named if name not in free]:
            raise UsageError(f"{unknown[0]!r} is no number that can be set.", expected=", ".join(free))
        if not named and len(free) < self.count:
            raise UsageError(
                f"{self.count} numeric features were asked for.", expected=f"at most {len(free)}"
            )
        drawn = seed.child("features").generator().permutation(sorted(free.values()))[: self.count]
        columns = np.array([free[name] for name in named] if named else np.sort(drawn), np.int64)
        low, high = schema.bounds()
        values = low[columns] + self.place * (high[columns] - low[columns])
        whole = schema.integer_mask()[columns]
        return columns, np.where(whole, np.round(values), values).astype(np.float32)
