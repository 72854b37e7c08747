import torch
from torch import nn

from gambeson.defenses.poisoning.repair.base import descend, hidden_layers, repairs
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from gambeson.models.torch_training import seeded
from tests.poison_worlds import repair_task


def test_batches_cover_all_rows_before_any_comes_again():
    with seeded(0):
        batches = repair_task().batches(5, 50)
    assert [len(rows) for rows in batches] == [50] * 5
    assert sorted(torch.cat(batches[:4]).tolist()) == list(range(200))


def test_hidden_layers_leave_the_last_one_out():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 5), nn.Linear(5, 4))
    assert [name for name, _ in hidden_layers(module)] == ["0", "3"]


def test_descend_goes_down_and_ends_in_evaluation_mode():
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    network, task = Trainee(module, "cpu", Answer("logits", single=False)), repair_task()

    def loss(x, y):
        return nn.functional.cross_entropy(network(x), y)

    before = float(loss(task.x, task.y).detach())
    with seeded(0):
        descend(network, task, loss, steps=60, rate=1e-2)
    assert float(loss(task.x, task.y).detach()) < before
    assert not module.training


def test_six_repairs_are_known():
    assert len(repairs.names()) == 6
