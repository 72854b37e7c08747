import copy

import pytest
from torch import nn

from gambeson.core.errors import Unavailable
from gambeson.defenses.poisoning.repair.neuron_pruning import NeuronPruning
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from gambeson.models.torch_training import seeded
from tests.poison_worlds import backdoored, repair_task


def test_units_are_silenced_whole_and_others_left_alone():
    before = backdoored()
    network = Trainee(copy.deepcopy(before).requires_grad_(True), "cpu", Answer("logits", single=False))
    with seeded(0):
        NeuronPruning(threshold=0.9).repair(network, repair_task())
    old, new = before[1].weight, network.module[1].weight
    silent = (new == 0).all(dim=1)
    assert silent.any()
    assert not silent.all()
    assert (network.module[1].bias[silent] == 0).all()
    assert (new[~silent] == old[~silent]).all()


def test_a_network_without_hidden_layer_is_refused():
    network = Trainee(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), "cpu", Answer("logits", single=False))
    with pytest.raises(Unavailable, match="no hidden layer"):
        NeuronPruning().repair(network, repair_task())
