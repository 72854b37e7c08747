"""Rows of a table as numbers between 0 and 1, by bounds and categories that were known before the data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.core.errors import UsageError


class Encode(nn.Module):
    """Numbers are scaled by their bounds, categories become one column each; what is outside is moved inside.

    Bounds and categories must not come from the private rows: the smallest and largest value of a column are each the
    value of one record.

    Args:
        numbers: (low, high) by place of the column.
        categories: Number of categories by place of the column, whose values are 0 to that number less 1.

    Raises:
        UsageError: A bound is not finite or not in order, there is no category, or a column is named twice.
    """

    def __init__(self, numbers: Mapping[int, tuple[float, float]], categories: Mapping[int, int]) -> None:
        super().__init__()
        for place, (low, high) in numbers.items():
            if not -float("inf") < low < high < float("inf"):
                raise UsageError(
                    f"Column {place} has bounds {low:g} and {high:g}.", expected="low < high, both finite"
                )
        if any(count < 1 for count in categories.values()) or numbers.keys() & categories.keys():
            raise UsageError("Columns", expected="each a number or with at least one category, not both")
        self.places, self.categories = list(numbers), dict(categories)
        self.register_buffer("low", torch.tensor([low for low, _ in numbers.values()]), persistent=False)
        self.register_buffer("high", torch.tensor([high for _, high in numbers.values()]), persistent=False)

    low: Tensor
    high: Tensor

    @property
    def width(self) -> int:
        """Columns of the encoded rows."""
        return len(self.places) + sum(self.categories.values())

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) of (n, columns)."""
        numbers = ((x[:, self.places] - self.low) / (self.high - self.low)).clamp(0, 1)
        hot = [
            F.one_hot(x[:, place].long().clamp(0, count - 1), count).to(x.dtype)
            for place, count in self.categories.items()
        ]
        return torch.cat([numbers, *hot], 1)
