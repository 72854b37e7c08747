import io

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from gambeson.core.errors import ModelError, Refused, UsageError
from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable, Model, Trainable
from gambeson.models.onnx_model import open_onnx
from gambeson.models.probing import Expected
from tests.unit.models.conftest import CANCER, IMAGES, digits


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 10)).eval()


def exported(net, *, batch=2, dynamic=True):
    buffer = io.BytesIO()
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    x = torch.zeros(batch, 1, 8, 8)
    torch.onnx.export(net, (x,), dynamo=True, dynamic_shapes=shapes, verbose=False).save(buffer)
    return buffer.getvalue()


def table(nodes, outputs, *, kind=TensorProto.FLOAT, initializers=(), inputs=1):
    values = [helper.make_tensor_value_info(f"x{i}", kind, [None, 30]) for i in range(inputs)]
    graph = helper.make_graph(nodes, "g", values, outputs, initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


FLOATS = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
SPLIT = numpy_helper.from_array(np.eye(30, 2, dtype=np.float32), "w")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("batch", "dynamic"), [(2, True), (1, False), (4, False)])
def test_scores_are_those_of_the_exported_network(saved, batch, dynamic):
    net = network()
    model = open_onnx(saved("m.onnx", exported(net, batch=batch, dynamic=dynamic)), Expected(IMAGES))
    x = digits()[0][:10].reshape(10, 1, 8, 8)
    with torch.no_grad():
        own = net(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model.scores(x), own, rtol=1e-4, atol=1e-5)
    assert isinstance(model, Model)
    assert not isinstance(model, Differentiable | Trainable)
    assert (model.info.kind, model.info.scores, model.info.parameters) == ("onnx", "logits", 410)


def converted_classifier(labels, zipmap):
    """What converters of scikit-learn write: a label and, for each row, probabilities (perhaps as a dict)."""
    key = "classlabels_int64s" if isinstance(labels[0], int) else "classlabels_strings"
    nodes = [
        helper.make_node("MatMul", ["x0", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
        helper.make_node("ArgMax", ["p"], ["label"], axis=1, keepdims=0),
    ]
    label = helper.make_tensor_value_info("label", TensorProto.INT64, [None])
    if not zipmap:
        out = helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 2])
    else:
        nodes.append(helper.make_node("ZipMap", ["p"], ["maps"], domain="ai.onnx.ml", **{key: labels}))
        of = TensorProto.INT64 if isinstance(labels[0], int) else TensorProto.STRING
        value = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        out = helper.make_value_info(
            "maps", helper.make_sequence_type_proto(helper.make_map_type_proto(of, value))
        )
    return table(nodes, [label, out], initializers=[SPLIT])


@pytest.mark.parametrize(
    ("labels", "zipmap", "order"),
    [([0, 1], False, [0, 1]), ([0, 1], True, [0, 1]), (["benign", "malignant"], True, [1, 0])],
)
def test_probabilities_are_picked_beside_the_label(saved, labels, zipmap, order):
    model = open_onnx(saved("m.onnx", converted_classifier(labels, zipmap)), Expected(CANCER))
    x = np.random.default_rng(0).random((5, 30), dtype=np.float32)
    z = np.exp(x[:, :2].astype(float))
    np.testing.assert_allclose(model.scores(x), (z / z.sum(1, keepdims=True))[:, order], rtol=1e-5)
    assert model.info.scores == "probabilities"


def test_double_inputs_are_cast(saved):
    nodes = [
        helper.make_node("Cast", ["x0"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    data = table(nodes, [FLOATS], kind=TensorProto.DOUBLE, initializers=[SPLIT])
    x = np.random.default_rng(0).random((3, 30), dtype=np.float32)
    np.testing.assert_allclose(open_onnx(saved("m.onnx", data), Expected(CANCER)).scores(x), x[:, :2])


NANS = numpy_helper.from_array(np.full((30, 2), np.nan, "f"), "w")
MATMUL = helper.make_node("MatMul", ["x0", "w"], ["y"])
LABEL = helper.make_tensor_value_info("l", TensorProto.INT64, [None])


@pytest.mark.parametrize(
    ("data", "schema", "error", "said"),
    [
        (table([MATMUL], [FLOATS], initializers=[SPLIT]), Schema((29,), CANCER.classes), UsageError,
         r"\(30\); the data gives \(29,\)"),
        (table([MATMUL], [FLOATS], initializers=[SPLIT]), Schema((30,), ("a", "b", "c")), UsageError,
         "2 classes; 3 were expected"),
        (table([helper.make_node("Add", ["x0", "x1"], ["y"])], [FLOATS], inputs=2), CANCER, UsageError,
         "takes the inputs"),
        (table([helper.make_node("ArgMax", ["x0"], ["l"], axis=1, keepdims=0)], [LABEL]), CANCER, UsageError,
         "no output of scores"),
        (table([helper.make_node("Own", ["x0"], ["y"], domain="own")], [FLOATS]), CANCER, Refused,
         "operator that ONNX Runtime does not have"),
        (table([MATMUL], [FLOATS], initializers=[NANS]),
         CANCER, ModelError, "NaN or infinity"),
    ],
    ids=["shape", "classes", "inputs", "labels only", "custom operator", "NaN"],
)  # fmt: skip
def test_bad_models_are_one_clear_error(saved, data, schema, error, said):
    with pytest.raises(error, match=said):
        open_onnx(saved("m.onnx", data), Expected(schema))
