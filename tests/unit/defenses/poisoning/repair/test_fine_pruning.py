import pytest
import torch
from torch import nn

from gambeson.core.errors import Unavailable
from gambeson.defenses.poisoning.repair.fine_pruning import FinePruning, _activity
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.poison_worlds import repair_task, repaired


def test_accuracy_stays():
    assert repaired(FinePruning())[0] > 0.9


def test_the_least_active_channels_are_pruned_first():
    layer = nn.Linear(2, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 1.0], [-5.0, 0.0], [3.0, 0.0]]))
        layer.bias.zero_()
    network = Trainee(nn.Sequential(layer, nn.Linear(3, 2)), "cpu", Answer("logits", single=False))
    assert _activity(network, layer, torch.ones(4, 2)).tolist() == [2.0, 0.0, 3.0]


def test_a_network_without_hidden_layer_is_refused():
    network = Trainee(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), "cpu", Answer("logits", single=False))
    with pytest.raises(Unavailable, match="no hidden layer"):
        FinePruning().repair(network, repair_task())
