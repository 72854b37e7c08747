import onnx
import pytest
from onnx import helper

from gambeson.supply.scanning import scan_bytes, scan_file
from tests.corpus.look import rules_of
from tests.corpus.messages import text


def model(*nodes, location=None, **how):
    value = [helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    weights = []
    if location is not None:
        weight = onnx.TensorProto(name="w", data_type=1, dims=[1])
        weight.external_data.add(key="location", value=location)
        weight.data_location = onnx.TensorProto.EXTERNAL
        weights = [weight]
    return helper.make_model(
        helper.make_graph(nodes or [RELU], "g", value[:1], value[1:], weights), **how
    ).SerializeToString()


RELU = helper.make_node("Relu", ["x"], ["y"])


@pytest.mark.parametrize("domain", ["", "ai.onnx.ml", "com.microsoft"])
def test_operators_of_onnx_and_its_runtime_pass(domain):
    assert rules_of(model(helper.make_node("Any", ["x"], ["y"], domain=domain)), "m.onnx") == set()


def test_others_are_found_at_any_depth():
    foreign = helper.make_node("Run", ["x"], ["y"], domain="mine")
    branch = helper.make_graph([foreign], "b", [], [helper.make_tensor_value_info("y", 1, [1])])
    assert rules_of(model(foreign), "m.onnx") == {"scan.onnx.operator"}
    assert rules_of(
        model(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)), "m.onnx"
    ) == {"scan.onnx.operator"}


def test_functions_of_the_model_itself_pass():
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    inner = helper.make_function("mine", "Run", ["x"], ["y"], [RELU], opsets[:1])
    node = helper.make_node("Run", ["x"], ["y"], domain="mine")
    assert rules_of(model(node, functions=[inner], opset_imports=opsets), "m.onnx") == set()


@pytest.mark.parametrize("location", ["../w", "/w", "a/../../w", "C:\\w", "http://x/w", ""])
def test_weights_outside_are_found(location):
    assert rules_of(model(location=location), "m.onnx") == {"scan.onnx.path"}
    assert rules_of(model(location="weights/w.bin"), "m.onnx") == set()


def test_a_link_beside_the_model_that_leads_out_is_found(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "w.bin").symlink_to(tmp_path / "secret")
    path = tmp_path / "m" / "m.onnx"
    path.write_bytes(model(location="w.bin"))
    assert [item.check for item in scan_file(path).findings] == ["scan.onnx.path"]
    assert scan_bytes(path.read_bytes(), "m.onnx") == ()


def test_breaks_and_unknown_fields():
    assert rules_of(model()[:-3], "m.onnx") <= {"scan.onnx.broken", "scan.file.type"}
    assert rules_of(model()[:-3], "m.onnx")
    assert "scan.file.type" in rules_of(model() + text(99, "x"), "m.onnx")
