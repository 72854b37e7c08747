"""Decision trees whose questions were drawn before the data was seen: only their leaves are learnt from records."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.private.encoding import Encode

_POWERS = 1, 2, 4
"""Thresholds are powers of uniform numbers: columns such as incomes have most of their rows near their lower bound."""


class RandomTrees(nn.Module):
    """Encoded rows, and beside them which leaf of each tree a row falls into.

    A linear layer on top holds a value for each leaf: a forest that ``private_regression`` trains. Its questions cost
    no privacy, because they come from bounds, categories and a seed. All questions of one level of a tree are the same.

    Args:
        encode: How rows become numbers between 0 and 1.
        trees: Trees, at least 1.
        depth: Questions on the way to a leaf, from 1 to 10.
        seed: Draws the questions.

    Raises:
        UsageError: A number is out of range.

    Source: Jagannathan, Pillaipakkamnatt & Wright 2009, A practical differentially private random decision tree
    classifier (questions at random, private leaves). Deviation: leaves of all trees are trained together by noisy
    gradients, as in Maddock et al. 2022, arXiv:2210.02910, section 3 (boosting on random splits), instead of counted.
    """

    column: Tensor
    threshold: Tensor

    def __init__(self, encode: Encode, *, trees: int = 64, depth: int = 5, seed: int = 0) -> None:
        super().__init__()
        if trees < 1 or not 1 <= depth <= 10:
            raise UsageError(
                f"{trees} trees of depth {depth}", expected="at least 1 tree, depth from 1 to 10"
            )
        self.encode, self.trees, self.depth = encode, trees, depth
        generator = Seed(seed).child("trees").generator()
        column = _columns(encode, generator, trees * depth).reshape(trees, depth)
        threshold = generator.random((trees, depth)) ** generator.choice(_POWERS, (trees, depth))
        self.register_buffer("column", torch.from_numpy(column))
        self.register_buffer("threshold", torch.from_numpy(threshold.astype(np.float32)))

    @property
    def width(self) -> int:
        """Columns that come out."""
        leaves: int = self.trees * 2**self.depth
        return self.encode.width + leaves

    def leaves(self, x: Tensor) -> Tensor:
        """(n, trees) number of the leaf that each row (n, columns) falls into."""
        answers = self.encode(x)[:, self.column] > self.threshold
        number: Tensor = (answers * 2 ** torch.arange(self.depth, device=x.device)).sum(2)
        return number

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) encoded columns, and 1 / sqrt(trees) for the leaf of each tree: leaves have norm 1 together."""
        found = x.new_zeros(len(x), self.trees, 2**self.depth)
        found.scatter_(2, self.leaves(x)[:, :, None], self.trees**-0.5)
        return torch.cat([self.encode(x), found.flatten(1)], 1)


def _columns(encode: Encode, generator: np.random.Generator, count: int) -> np.ndarray:
    """(count,) encoded columns: of the table's columns any, and of a category's several any."""
    widths = np.array([1] * len(encode.places) + list(encode.categories.values()))
    starts = np.cumsum(widths) - widths
    chosen = generator.integers(len(widths), size=count)
    found: np.ndarray = starts[chosen] + generator.integers(widths[chosen])
    return found
