"""An ensemble answers with the mean of its members' probabilities."""

from __future__ import annotations

import torch
from torch import nn

from gambeson.models.probing import Answer
from gambeson.models.torch_ensemble import Ensemble


def test_probabilities_are_averaged():
    torch.manual_seed(0)
    networks = [nn.Linear(4, 3) for _ in range(3)]
    x = torch.rand(5, 4)
    mean = torch.stack([network(x).softmax(1) for network in networks]).mean(0)
    assert torch.allclose(Ensemble(networks, Answer("logits", False))(x).softmax(1), mean, atol=1e-6)


def test_members_with_one_column_count_as_two_classes():
    network = nn.Linear(4, 1)
    x = torch.rand(5, 4)
    answer = Ensemble([network, network], Answer("logits", True))(x)
    assert torch.allclose(answer.softmax(1)[:, 1], network(x)[:, 0].sigmoid(), atol=1e-6)


def test_it_can_be_exported_for_any_number_of_rows():
    ensemble = Ensemble([nn.Linear(4, 3), nn.Linear(4, 3)], Answer("logits", False)).eval()
    dynamic = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(ensemble, (torch.rand(2, 4),), dynamic_shapes=dynamic).module()
    x = torch.rand(7, 4)
    assert torch.allclose(program(x), ensemble(x), atol=1e-6)
