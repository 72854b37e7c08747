"""The judge of reconstructions."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.privacy.inversion.judge import restore_judge, train_judge
from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.core.errors import ModelError
from gambeson.core.reproduce import Seed
from tests.inversion_worlds import CLASSES, SCHEMA, TABLE, examples

X, Y = examples(300)
FRESH_X, FRESH_Y = examples(200, seed=9)


@pytest.mark.parametrize("schema", [SCHEMA, TABLE], ids=["pictures", "table"])
def test_it_learns_what_classes_look_like(schema):
    x, fresh = X.reshape(-1, *schema.shape), FRESH_X.reshape(-1, *schema.shape)
    judge = train_judge(x, Y, space_of(schema, x), CLASSES, updates=40, seed=Seed(0))
    assert (judge.scores(fresh).argmax(1) == FRESH_Y).float().mean() > 0.95


def test_a_judge_of_random_labels_is_no_better_than_chance():
    mixed = Y[torch.randperm(len(Y), generator=torch.Generator().manual_seed(0))]
    judge = train_judge(X, mixed, space_of(SCHEMA, X), CLASSES, updates=40, seed=Seed(0))
    assert (judge.scores(FRESH_X).argmax(1) == FRESH_Y).float().mean() < 0.5


def test_the_same_seed_gives_the_same_judge_and_the_global_stream_stays():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    space = space_of(SCHEMA, X)
    one, two = (train_judge(X, Y, space, CLASSES, updates=5, seed=Seed(4)) for _ in range(2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one.scores(FRESH_X), two.scores(FRESH_X))


def test_it_comes_back_from_its_weights():
    space = space_of(SCHEMA, X)
    judge = train_judge(X, Y, space, CLASSES, updates=5, seed=Seed(0))
    again = restore_judge(judge.weights(), space, CLASSES)
    assert torch.equal(again.scores(FRESH_X), judge.scores(FRESH_X))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 17, 31), (3, 64, 80), (1, 4, 4)])
def test_pictures_of_any_size_fit(shape):
    x = torch.rand(6, *shape)
    space = space_of(type(SCHEMA)(shape, ("a", "b")), x)
    judge = train_judge(x, torch.tensor([0, 1] * 3), space, 2, updates=2, seed=Seed(0))
    assert judge.scores(x).shape == (6, 2)


def test_training_on_what_is_no_number_is_an_error():
    broken = X.clone()
    broken[:] = torch.nan
    with pytest.raises(ModelError, match="diverged"):
        train_judge(broken, Y, space_of(SCHEMA, X), CLASSES, updates=2, seed=Seed(0))
