import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from gambeson.core.errors import IntegrityError, Refused
from gambeson.models.onnx_file import read_onnx

WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def linear(weight, **attributes):
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])
    node = helper.make_node("MatMul", ["x", "w"], ["y"], **attributes)
    graph = helper.make_graph([node], "g", [value], [out], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def external(location, offset=0, length=48):
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=WEIGHT.shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": offset, "length": length}.items():
        tensor.external_data.add(key=key, value=str(value))
    return linear(tensor).SerializeToString()


def test_a_model_with_its_weights_inside_is_taken_as_it_is(saved):
    file = saved("m.onnx", linear(numpy_helper.from_array(WEIGHT, "w")).SerializeToString())
    read = read_onnx(file)
    assert (read.data, read.digest, read.parameters) == (file.data, file.digest, 12)


def test_weights_beside_the_model_are_brought_in_and_digested(write, saved):
    write("w.bin", b"head" + WEIGHT.tobytes())
    read = read_onnx(saved("m.onnx", external("w.bin", 4)))
    model = onnx.load_model_from_string(read.data)
    np.testing.assert_array_equal(numpy_helper.to_array(model.graph.initializer[0]), WEIGHT)
    write("w.bin", b"head" + (WEIGHT + 1).tobytes())
    assert read_onnx(saved("m.onnx", external("w.bin", 4))).digest != read.digest


def test_a_tensor_deep_inside_is_found(write, saved):
    write("w.bin", WEIGHT.tobytes())
    inner = onnx.load_model_from_string(external("w.bin")).graph
    outer = onnx.load_model_from_string(linear(numpy_helper.from_array(WEIGHT, "w")).SerializeToString())
    outer.graph.node[0].attribute.append(helper.make_attribute("then_branch", inner))
    read = onnx.load_model_from_string(read_onnx(saved("m.onnx", outer.SerializeToString())).data)
    tensor = read.graph.node[0].attribute[0].g.initializer[0]
    assert tensor.data_location == onnx.TensorProto.DEFAULT
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), WEIGHT)


@pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", "a/../../w.bin", "", "link.bin"])
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    from gambeson.models.model_file import read_model_file

    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "m.onnx").write_bytes(external(location))
    with pytest.raises(Refused, match="outside its own folder"):
        read_onnx(read_model_file(str(folder / "m.onnx")))


@pytest.mark.parametrize(("offset", "length"), [(0, 49), (-4, 48), (8, 48), (0, "many")])
def test_a_weight_file_that_is_too_short_is_an_integrity_error(write, saved, offset, length):
    write("w.bin", WEIGHT.tobytes())
    with pytest.raises(IntegrityError):
        read_onnx(saved("m.onnx", external("w.bin", offset, length)))


def test_a_missing_weight_file_is_named(saved):
    with pytest.raises(IntegrityError, match=r"weights in 'w\.bin'"):
        read_onnx(saved("m.onnx", external("w.bin")))


def test_a_truncated_model_is_an_integrity_error(saved):
    data = linear(numpy_helper.from_array(np.ones((4, 300), np.float32), "w")).SerializeToString()
    with pytest.raises(IntegrityError, match="truncated or damaged"):
        read_onnx(saved("m.onnx", data[:-600]))
