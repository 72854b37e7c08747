"""Leftovers are named from the bytes of a file; nothing in it runs, and no bytes make the reader raise."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from safetensors.torch import save
from torch import nn

from gambeson.core.finding import Severity
from gambeson.supply.leftovers import find_leftovers
from gambeson.supply.sniffing import Format, sniff


def kinds(data: bytes, kind: Format | None = None) -> dict[str, Severity]:
    return {item.kind: item.severity for item in find_leftovers(data, kind or sniff(data))}


def saved(value) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def checkpoint(**more) -> bytes:
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.rand(3, 4)).sum().backward()
    optimiser.step()
    return saved({"state_dict": network.state_dict(), "optimizer": optimiser.state_dict(), **more})


def test_a_training_checkpoint_is_told_from_weights():
    found = kinds(checkpoint(epoch=3, args={"data": "/home/jane/patients.csv"}))
    assert found["optimiser"] is Severity.MEDIUM
    assert (found["training"], found["path"]) == (Severity.LOW, Severity.LOW)
    assert found["batch norm"] is Severity.INFO
    assert kinds(saved(nn.Linear(4, 4).state_dict())) == {}


def test_a_pickle_in_a_checkpoint_is_never_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return open, (str(tmp_path / "struck"), "w")

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"optimizer": Bomb()}))
    assert "optimiser" in kinds(stream.getvalue(), Format.TORCH_ZIP)
    assert not (tmp_path / "struck").exists()


def test_a_moving_average_beside_the_weights_is_named():
    weights = nn.Linear(4, 4).state_dict()
    both = {**weights, **{f"ema.{name}": value.clone() for name, value in weights.items()}}
    assert kinds(save(both)) == {"average": Severity.LOW}


def test_notes_in_a_safetensors_header_are_read():
    data = save({"w": torch.zeros(2)}, {"author": "jane@example.org", "source": "/home/jane/run1"})
    assert kinds(data) == {"metadata": Severity.INFO, "address": Severity.MEDIUM, "path": Severity.LOW}
    assert kinds(save({"w": torch.zeros(2)}, {"format": "pt"})) == {}


def test_an_embedding_is_listed_and_no_leak():
    assert kinds(save({"token_embedding.weight": torch.zeros(5, 2)})) == {"embedding": Severity.INFO}


def test_an_exported_program_keeps_its_example_and_its_source_paths():
    from torch import export

    stream = io.BytesIO()
    export.save(export.export(nn.Linear(4, 2), (torch.rand(2, 4),)), stream)
    found = kinds(stream.getvalue())
    assert found["samples"] is Severity.LOW


def test_what_an_exporter_wrote_beside_onnx_operators_is_found():
    node = helper.make_node("Relu", ["x"], ["y"], doc_string="/home/jane/model.py(31): forward")
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in "xy"]
    graph = helper.make_graph([node], "g", info[:1], info[1:])
    model = helper.make_model(graph, producer_name="pytorch")
    helper.set_model_props(model, {"api_key": "0123456789abcdef"})
    found = kinds(model.SerializeToString())
    assert found == {"source": Severity.INFO, "path": Severity.LOW, "secret": Severity.HIGH}
    onnx.checker.check_model(model)
    plain = helper.make_model(
        helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", info[:1], info[1:])
    )
    assert kinds(plain.SerializeToString()) == {}


def test_a_nearest_neighbour_model_is_its_training_data():
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    x, y = np.random.default_rng(0).random((30, 3)), np.arange(30) % 2
    assert kinds(skops.io.dumps(KNeighborsClassifier().fit(x, y)))["samples"] is Severity.HIGH
    assert "samples" not in kinds(skops.io.dumps(LogisticRegression().fit(x, y)))
    assert "samples" not in kinds(skops.io.dumps(StandardScaler().fit(x)))


def test_the_path_of_the_training_file_in_a_lightgbm_model_is_found():
    text = "tree\nversion=v4\nfeature_infos=[0:1]\n\nparameters:\n[data: /home/jane/people.csv]\n[valid: ]\n"
    found = [item.what for item in find_leftovers(text.encode(), Format.LIGHTGBM) if item.kind == "path"]
    assert found[0] == "training parameter data: /home/jane/people.csv"
    assert len(found) == 2


def test_a_format_that_is_not_known_gives_nothing():
    assert find_leftovers(b"whatever", Format.UNKNOWN) == ()


@pytest.mark.parametrize("kind", [Format.SAFETENSORS, Format.TORCH_ZIP, Format.TORCH_EXPORT, Format.SKOPS, Format.ONNX,
                                  Format.LIGHTGBM, Format.JSON, Format.UBJSON])  # fmt: skip
@given(data=st.binary(max_size=300))
def test_hostile_bytes_do_not_make_it_raise(kind, data):
    assert isinstance(find_leftovers(data, kind), tuple)


def test_a_header_that_is_no_object_is_nothing():
    header = json.dumps([1, 2]).encode()
    assert find_leftovers(len(header).to_bytes(8, "little") + header, Format.SAFETENSORS) == ()
