import numpy as np
import torch

from gambeson.defenses.poisoning.under_repair import Under
from gambeson.models.model import Differentiable
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.poison_worlds import PICTURES, backdoored, pictures


def test_a_network_in_training_answers_like_a_model():
    x, _ = pictures(5)
    model = Under(Trainee(backdoored(), "cpu", Answer("logits", single=False)), PICTURES)
    assert isinstance(model, Differentiable)
    assert model.info.classes == 4
    assert np.allclose(model.scores(x), backdoored()(torch.from_numpy(x)).detach().numpy())
