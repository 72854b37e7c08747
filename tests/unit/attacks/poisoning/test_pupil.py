import numpy as np
import pytest
import torch

from gambeson.attacks.poisoning.pupil import answers, passes, pieces, teach
from gambeson.core.errors import ModelError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, pictures, plain_network, predict


def test_a_pupil_learns_what_is_easy():
    x, y = pictures()
    pupil = teach(x, y, PICTURES, seed=Seed(0), build=plain_network)
    fresh, truth = pictures(seed=9)
    assert (predict(pupil.module, fresh) == truth).mean() > 0.9


def test_same_seed_same_pupil_and_torch_is_left_as_it_was():
    x, y = pictures(64)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    made = [answers(teach(x, y, PICTURES, seed=Seed(s), build=plain_network).module, x) for s in (1, 1, 2)]
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_a_row_without_weight_is_not_learnt():
    x, y = pictures()
    wrong, weights = y.copy(), np.ones(len(y))
    wrong[:60], weights[:60] = (y[:60] + 1) % 4, 0.0
    pupil = teach(x, wrong, PICTURES, seed=Seed(0), build=plain_network, weights=weights)
    assert (predict(pupil.module, x[:60]) == y[:60]).mean() > 0.9


def test_every_pass_is_watched_in_evaluation_mode():
    x, y = pictures(128)
    seen = []
    teach(
        x,
        y,
        PICTURES,
        seed=Seed(0),
        epochs=3,
        build=plain_network,
        watch=lambda n, m: seen.append((n, m.training)),
    )
    assert seen == [(n, False) for n in range(400)]


def test_small_sets_take_more_passes():
    assert passes(128, 3) == 400
    assert passes(51_200, 3) == 3


def test_divergence_is_said():
    x, y = pictures(64)
    with pytest.raises(ModelError, match="diverged"):
        teach(x * np.float32(np.inf), y, PICTURES, seed=Seed(0), build=plain_network)


def test_pieces_are_whole():
    x = np.arange(2500)
    assert np.array_equal(np.concatenate(pieces(x)), x)
    assert [len(part) for part in pieces(x)] == [1024, 1024, 452]
