"""Random trees: leaves by hand, norms that clipping relies on, and questions that know nothing of the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.attacks.harness import Run
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.private.base import PrivateRegression
from gambeson.defenses.private.encoding import Encode
from gambeson.defenses.private.features import divide
from gambeson.defenses.private.making import make_private
from gambeson.defenses.private.trees import RandomTrees
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee


def encode() -> Encode:
    return Encode({0: (0, 10), 2: (-1, 1)}, {1: 4})


def rows(n: int = 2_000) -> ArraySplit:
    """The class is whether exactly one of two things holds, which no linear model can tell."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(0, 10, n), rng.integers(4, size=n), rng.uniform(-1, 1, n)], 1).astype(
        np.float32
    )
    return ArraySplit(x, ((x[:, 0] > 5) != (x[:, 2] > 0)).astype(np.int64))


def test_a_row_falls_into_the_leaf_that_its_answers_name():
    trees = RandomTrees(encode(), trees=3, depth=2, seed=1)
    x = torch.from_numpy(rows(50).x)
    encoded, out = encode()(x), trees(x)
    for row in range(50):
        for tree in range(3):
            bits = [
                int(encoded[row, trees.column[tree, level]] > trees.threshold[tree, level])
                for level in range(2)
            ]
            assert int(trees.leaves(x)[row, tree]) == bits[0] + 2 * bits[1]
    assert out.shape == (50, trees.width)
    assert torch.equal(out[:, : encode().width], encoded)


def test_leaves_of_a_row_have_norm_one_together():
    trees = RandomTrees(encode(), trees=7, depth=3)
    leaves = trees(torch.from_numpy(rows(20).x))[:, encode().width :]
    assert torch.allclose(leaves.norm(dim=1), torch.ones(20))
    assert ((leaves > 0).sum(1) == 7).all()


def test_questions_are_about_every_column_and_come_from_the_seed_alone():
    one, same, other = (RandomTrees(encode(), trees=50, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.column, same.column)
    assert torch.equal(one.threshold, same.threshold)
    assert not torch.equal(one.threshold, other.threshold)
    counts = np.bincount(one.column.flatten().numpy(), minlength=6)
    assert len(counts) == 6
    assert abs(counts[2:].sum() / counts.sum() - 1 / 3) < 0.1  # four columns of one category


def test_they_are_a_fixed_front_and_learn_privately_what_a_linear_model_cannot():
    pytest.importorskip("dp_accounting")
    right = {}
    for name, front in (("linear", encode()), ("trees", RandomTrees(encode(), trees=32, depth=3))):
        torch.manual_seed(0)
        net = nn.Sequential(front, nn.Linear(front.width, 2))
        assert divide(net)[0] is not None
        recipe = PrivateRegression(epsilon=4.0, repeatable=True, self_test=False)
        trainee = Trainee(net, "cpu", Answer("logits", False))
        made = make_private(trainee, recipe, recipe.plan(2_000, None, None), rows(), Run(Seed(0)))
        assert made.statement.epsilon <= 4.0
        x, y = (torch.from_numpy(a) for a in rows().take(np.arange(2_000)))
        right[name] = float((made.network(x).argmax(1) == y).float().mean())
    assert right["linear"] < 0.6
    assert right["trees"] > 0.8


@pytest.mark.parametrize("wrong", [{"trees": 0}, {"depth": 0}, {"depth": 11}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(UsageError):
        RandomTrees(encode(), **wrong)
