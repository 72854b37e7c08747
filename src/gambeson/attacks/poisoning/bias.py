"""Bias: one group of a table gets the worse label more often than it should, or is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings
from gambeson.core.errors import UsageError
from gambeson.data.schema import Kind, Schema


@poisonings.register(
    "bias",
    PoisoningFacts(
        goal="bias",
        changes="labels",
        pictures=False,
        tables=True,
        source="Mehrabi et al. 2021, Exacerbating algorithmic bias through fairness attacks, arXiv:2012.08723 "
        "(anchoring towards a group); Solans et al. 2020, arXiv:2004.07401",
    ),
)
@dataclass(frozen=True, slots=True)
class Bias:
    """Rows of a group that do not have the target get it; or rows of the group that do not have it are removed.

    Attributes:
        feature: Column that tells the group.
        value: Category, or number, of the group.
        mode: ``"labels"`` or ``"removal"`` (under-representation).
    """

    feature: str = ""
    value: str = ""
    mode: str = "labels"

    def poison(self, task: PoisonTask) -> Changes:
        """Changes labels of the group, or leaves rows of it out.

        Raises:
            UsageError: The feature, its value or the mode is unknown.
        """
        group = self._members(task.x, task.schema)
        rows = task.draw(group & (task.y != task.target))
        if self.mode == "labels":
            return Changes(rows, task.x[rows], np.full(len(rows), task.target, np.int64))
        if self.mode != "removal":
            raise UsageError(f"Unknown mode {self.mode!r}.", expected="labels, removal")
        none = np.empty(0, np.int64)
        return Changes(none, task.x[none], none, removed=rows)

    def _members(self, x: np.ndarray, schema: Schema) -> np.ndarray:
        names = [feature.name for feature in schema.features]
        if self.feature not in names:
            raise UsageError(f"The group's feature is {self.feature!r}.", expected=", ".join(names))
        feature = schema.features[names.index(self.feature)]
        column = x[:, names.index(self.feature)]
        if feature.kind is Kind.CATEGORICAL:
            if self.value not in feature.categories:
                raise UsageError(
                    f"{self.feature} has no category {self.value!r}.", expected=", ".join(feature.categories)
                )
            return np.asarray(column == feature.categories.index(self.value))
        try:
            return np.asarray(column == np.float32(self.value))
        except ValueError:
            raise UsageError(f"{self.feature} is a number, not {self.value!r}.") from None
