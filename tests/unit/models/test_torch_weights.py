import io

import pytest
import torch
from safetensors.torch import save
from torch import nn

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.models.torch_weights import HEADER_LIMIT, put_weights, read_weights
from tests.unit.models.conftest import Payload


def saved_by_torch(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.safetensors", save(STATE)),
        ("m.pt", saved_by_torch(STATE)),
        ("m.pth", saved_by_torch({"epoch": 3, "state_dict": STATE})),
    ],
)
def test_weights_are_read_from_every_safe_format(saved, name, data):
    network = nn.Linear(3, 2)
    put_weights(network, read_weights(saved(name, data)), name, "f:build")
    for key, value in STATE.items():
        assert torch.equal(network.state_dict()[key], value)


def test_an_archive_with_objects_is_refused_and_never_runs(saved, tmp_path):
    trap = tmp_path / "ran"
    with pytest.raises(Refused, match=r"(?s)pickled objects.*safetensors\.torch\.save_file"):
        read_weights(saved("m.pt", saved_by_torch({"weight": Payload(trap)})))
    with pytest.raises(Refused):
        read_weights(saved("n.pt", saved_by_torch(nn.Linear(3, 2))))
    assert not trap.exists()


@pytest.mark.parametrize("value", [[1, 2], {"weight": 3}, torch.zeros(2)])
def test_what_is_no_state_dict_is_a_usage_error(saved, value):
    with pytest.raises(UsageError, match="no state dict"):
        read_weights(saved("m.pt", saved_by_torch(value)))


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_truncated_file_is_an_integrity_error(saved, kept):
    data = save(STATE)
    with pytest.raises(IntegrityError, match="truncated or damaged"):
        read_weights(saved("m.safetensors", data[: int(len(data) * kept)]))


def test_a_boastful_header_is_an_integrity_error(saved):
    data = (HEADER_LIMIT + 1).to_bytes(8, "little") + b"{}"
    with pytest.raises(IntegrityError, match="claims 100000001 bytes"):
        read_weights(saved("m.safetensors", data))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"weight": STATE["weight"]}, "lacks 'bias'"),
        ({**STATE, "a": STATE["bias"]}, "the network does not, 'a'"),
        ({f"w{i}": STATE["bias"] for i in range(5)} | STATE, "'w0', 'w1', 'w2' and 2 more"),
        ({**STATE, "weight": torch.zeros(4, 3)}, r"shape \(4, 3\); the network of f:build has \(2, 3\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, said):
    with pytest.raises(UsageError, match=said):
        put_weights(nn.Linear(3, 2), weights, "m.pt", "f:build")


def test_old_files_without_batch_counters_fit():
    network = nn.BatchNorm1d(3)
    weights = {k: v for k, v in network.state_dict().items() if k != "num_batches_tracked"}
    put_weights(network, {**weights, "running_mean": torch.ones(3)}, "m.pt", "f:build")
    assert network.running_mean.tolist() == [1, 1, 1]
