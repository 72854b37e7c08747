import io
import json
import pickle

import pytest
import torch
from torch import nn

from gambeson.core.errors import IntegrityError, Refused
from gambeson.models.torch_export import load_program
from tests.unit.models.conftest import Payload

PROGRAM, INPUTS = "models/model.json", "data/sample_inputs/model.pt"
WEIGHTS, CONSTANTS = (
    "data/weights/model_weights_config.json",
    "data/constants/model_constants_config.json",
)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 10)
    ).eval()


@pytest.fixture(scope="module")
def exported():
    """An exported network, as bytes, beside the network itself."""
    torch.manual_seed(0)
    net, buffer = network(), io.BytesIO()
    shapes = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(net, (torch.zeros(2, 1, 8, 8),), dynamic_shapes=shapes), buffer)
    return buffer.getvalue(), net


@pytest.fixture(scope="module")
def records(exported):
    """The records of the archive by name."""
    reader = torch._C.PyTorchFileReader(io.BytesIO(exported[0]))
    return {
        name: reader.get_record(name) for name in reader.get_all_records() if not name.startswith(".data")
    }


def archive(records):
    buffer = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(buffer)
    writer.set_min_version(6)
    for name, data in records.items():
        if name != "byteorder":
            writer.write_record(name, data, len(data))
    writer.write_end_of_file()
    return buffer.getvalue()


def edited(records, name, change):
    value = json.loads(records[name])
    change(value)
    return {**records, name: json.dumps(value).encode()}


def test_a_program_answers_as_the_network_it_was_made_from(saved, exported):
    data, net = exported
    program = load_program(saved("m.pt2", data))
    assert (program.shape, program.batch) == ((1, 8, 8), None)
    assert not any(p.requires_grad for p in program.module.parameters())
    for rows in (1, 5):
        x = torch.rand(rows, 1, 8, 8)
        torch.testing.assert_close(program.module(x), net(x))


def test_a_fixed_batch_is_reported(saved):
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(network(), (torch.zeros(4, 1, 8, 8),)), buffer)
    assert load_program(saved("m.pt2", buffer.getvalue())).batch == 4


@pytest.mark.parametrize("protocol", [2, 4])
def test_pickled_example_inputs_are_refused_and_never_run(saved, records, tmp_path, protocol):
    trap, buffer = tmp_path / "ran", io.BytesIO()
    torch.save((Payload(trap),), buffer, pickle_protocol=protocol)
    with pytest.raises(Refused, match="example inputs"):
        load_program(saved("m.pt2", archive({**records, INPUTS: buffer.getvalue()})))
    assert not trap.exists()


def plant(config):
    first = next(iter(config["config"].values()), None) or {"path_name": "tensor_0", "is_param": False}
    config["config"]["planted"] = {**first, "use_pickle": True}


@pytest.mark.parametrize("config", [WEIGHTS, CONSTANTS])
def test_a_pickled_tensor_is_refused(saved, records, config):
    with pytest.raises(Refused, match=r"'planted'.*stored as a pickle"):
        load_program(saved("m.pt2", archive(edited(records, config, plant))))


@pytest.mark.parametrize(
    "name",
    ["data/constants/custom_obj_0", "data/constants/opaque_obj_0", "data/weights/model.pt",
     "data/constants/model.pt", "data/aotinductor/model/a.so", "models/other.json", "data/weights/../x"],
)  # fmt: skip
def test_pickles_native_code_and_unknown_records_are_refused(saved, records, tmp_path, name):
    trap = tmp_path / "ran"
    with pytest.raises(Refused, match="pickle, native code or unknown"):
        load_program(saved("m.pt2", archive({**records, name: pickle.dumps(Payload(trap))})))
    assert not trap.exists()


def test_code_in_a_size_expression_is_refused_and_never_runs(saved, records, tmp_path):
    trap = tmp_path / "ran"
    text = records[PROGRAM].decode()
    bad = text.replace("Symbol('s", f"open('{trap}', 'w') or Symbol('s")
    assert bad != text
    with pytest.raises(Refused, match="expr_str"):
        load_program(saved("m.pt2", archive({**records, PROGRAM: bad.encode()})))
    assert not trap.exists()


def test_guards_in_the_file_never_run(saved, records, tmp_path, exported):
    trap = tmp_path / "ran"

    def plant_guard(program):
        program["guards_code"] = [f"open({str(trap)!r}, 'w')"]

    program = load_program(saved("m.pt2", archive(edited(records, PROGRAM, plant_guard))))
    x = torch.rand(3, 1, 8, 8)
    torch.testing.assert_close(program.module(x), exported[1](x))
    assert not trap.exists()


def test_a_program_without_its_weights_is_refused(saved, records):
    with pytest.raises(Refused, match="holds no data/weights"):
        load_program(saved("m.pt2", archive({k: v for k, v in records.items() if k != WEIGHTS})))


@pytest.mark.parametrize("name", [PROGRAM, WEIGHTS])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"config": 3}', b"[" * 100_000])
def test_damaged_records_are_an_integrity_error(saved, records, name, data):
    with pytest.raises(IntegrityError, match=r"truncated or damaged"):
        load_program(saved("m.pt2", archive({**records, name: data})))


def test_too_short_weights_are_an_integrity_error(saved, records):
    with pytest.raises(IntegrityError):
        load_program(saved("m.pt2", archive({**records, "data/weights/weight_0": b"1234"})))


def test_a_second_input_is_refused(saved):
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    buffer = io.BytesIO()
    torch.export.save(torch.export.export(Two(), (torch.zeros(2, 3), torch.zeros(2, 3))), buffer)
    with pytest.raises(Refused, match="takes 2 inputs"):
        load_program(saved("m.pt2", buffer.getvalue()))
