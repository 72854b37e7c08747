from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.losses import cross_entropy
from gambeson.core.errors import ModelError
from gambeson.models.passes import Passes
from tests.tiny_models import ScoreModel, TensorModel, convnet, linear, perceptron


@pytest.mark.parametrize("model", [convnet(), perceptron()], ids=["convolution", "perceptron"])
def test_rows_give_the_same_bits_in_every_block(model):
    x = torch.rand(45, *model.info.shape, generator=torch.Generator().manual_seed(0))
    y = torch.arange(45) % model.info.classes
    whole = Passes(model, 64).gradient(x, cross_entropy, y)
    for rows in (1, 8, 24, 40):
        part = Passes(model, rows).gradient(x, cross_entropy, y)
        assert torch.equal(part.scores, whole.scores)
        assert torch.equal(part.grad, whole.grad)
    one = Passes(model, 64).gradient(x[7:8], cross_entropy, y[7:8])
    assert torch.equal(one.grad[0], whole.grad[7])


def test_gradient_is_the_one_known_for_a_linear_model():
    weights = [[1.0, 2.0], [0.0, -1.0]]
    answer = Passes(linear(weights)).gradient(torch.zeros(1, 2), cross_entropy, torch.tensor([0]))
    # softmax is (1/2, 1/2): gradient of -log p_0 is W^T (p - e_0) = (-1/2, -3/2)
    torch.testing.assert_close(answer.grad, torch.tensor([[-0.5, -1.5]]))


def test_probabilities_become_log_probabilities():
    model = ScoreModel(
        lambda x: np.tile(np.float32([0.25, 0.75, 0.0]), (len(x), 1)), (2,), 3, "probabilities"
    )
    scores = Passes(model).scores(torch.zeros(1, 2))
    assert scores[0, :2].exp().tolist() == pytest.approx([0.25, 0.75])
    assert float(scores[0, 2]) < -60


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.2])
def test_unusable_scores_are_one_clear_error(bad):
    model = ScoreModel(lambda x: np.full((len(x), 2), bad, np.float32), (2,), 2, "probabilities")
    if bad == np.inf:
        model = ScoreModel(model.function, (2,), 2)
    with pytest.raises(ModelError, match="NaN, infinite or negative"):
        Passes(model).scores(torch.zeros(3, 2))


def test_a_model_that_raises_is_named_with_its_exception():
    def boom(x):
        raise RuntimeError("mat1 and mat2 shapes")

    with pytest.raises(ModelError, match=r"tiny raised RuntimeError .*mat1"):
        Passes(ScoreModel(boom, (2,), 2)).scores(torch.zeros(3, 2))


def test_wrong_number_of_scores_is_named():
    with pytest.raises(ModelError, match=r"\(8, 3\)"):
        Passes(ScoreModel(lambda x: np.zeros((len(x), 3), np.float32), (2,), 2)).scores(torch.zeros(3, 2))


def test_scores_only_model_refuses_gradients():
    model = ScoreModel(lambda x: np.zeros((len(x), 2), np.float32), (2,), 2)
    with pytest.raises(ModelError, match="autograd"):
        Passes(model).gradient(torch.zeros(1, 2), cross_entropy, torch.tensor([0]))


class Halved(TensorModel):
    """Says that bfloat16 pays, whatever the machine."""

    gains_from_half = True


def test_a_rough_pass_computes_in_bfloat16_and_an_exact_one_does_not():
    tiny = perceptron()
    x = torch.rand(16, *tiny.info.shape, generator=torch.Generator().manual_seed(0))
    exact = Passes(Halved(tiny.module, tiny.info.shape, tiny.info.classes))
    rough = exact.rough()
    assert rough.scores(x).dtype == torch.float32
    assert not torch.equal(rough.scores(x), exact.scores(x))
    torch.testing.assert_close(rough.scores(x), exact.scores(x), rtol=0.05, atol=0.05)
    assert torch.equal(rough.exact.scores(x), exact.scores(x))


def test_a_model_that_does_not_gain_is_never_rough():
    passes = Passes(perceptron())
    assert passes.rough() is passes


def test_a_block_of_large_inputs_is_smaller():
    small, large = (TensorModel(torch.nn.Flatten(), shape, 3) for shape in ((1, 8, 8), (3, 512, 512)))
    assert Passes(small).rows == 128
    assert Passes(small, 33).rows == 40  # a multiple of 8
    assert Passes(large).rows == 8  # 5 pictures fit into 2**22 values, and 8 is the least
