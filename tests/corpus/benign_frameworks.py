"""Harmless models, written by torch, safetensors, ONNX, scikit-learn, joblib, skops, XGBoost and LightGBM."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

from tests.corpus.benign import written


def framework_files() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from _torch()
        yield from _safetensors()
        yield from _onnx()
        yield from _sklearn()
        yield from _boosting()


def _network() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = [
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(18, 3),
    ]
    return nn.Sequential(*layers)


def _torch() -> Iterator[tuple[str, bytes]]:
    import torch

    def save(value: Any, **how: Any) -> bytes:
        return written(lambda f: torch.save(value, f, **how))

    network, x = _network().eval(), torch.zeros(2, 1, 8, 8)
    optimizer = torch.optim.AdamW(network.parameters())
    network(x).sum().backward()
    optimizer.step()
    kinds = {
        str(kind): torch.ones(3).to(kind)
        for kind in (torch.bfloat16, torch.half, torch.int8, torch.bool, torch.complex64)
    }
    yield "weights.pt", save(network.state_dict())
    yield "weights.bin", save(network.state_dict())
    yield "legacy.pt", save(network.state_dict(), _use_new_zipfile_serialization=False)
    yield "legacy-kinds.pth", save(kinds, _use_new_zipfile_serialization=False)
    yield "network.pt", save(network)
    yield (
        "checkpoint.ckpt",
        save({"state": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}),
    )
    yield "kinds.pt", save(kinds)
    yield "sparse.pt", save(torch.eye(3).to_sparse())
    yield (
        "parameter.pt",
        save([torch.nn.Parameter(torch.ones(2)), torch.Size([1, 2]), torch.device("cpu"), torch.float16]),
    )
    yield "lstm.pt", save(torch.nn.LSTM(3, 4).state_dict())
    yield "transformer.pt", save(torch.nn.TransformerEncoderLayer(8, 2))
    quantized = torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)
    yield "quantized.pt", save(quantized)
    yield "pickled-tensors.pkl", pickle.dumps(network.state_dict())
    yield "script.pt", written(lambda f: torch.jit.save(torch.jit.script(network), f))
    yield "trace.pt", written(lambda f: torch.jit.save(torch.jit.trace(network, x), f))
    program = torch.export.export(network, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    yield "program.pt2", written(lambda f: torch.export.save(program, f))


def _safetensors() -> Iterator[tuple[str, bytes]]:
    import numpy as np
    import torch
    from safetensors.numpy import save as save_arrays
    from safetensors.torch import save

    yield "weights.safetensors", save(_network().state_dict(), metadata={"format": "pt"})
    yield (
        "half.safetensors",
        save({"a": torch.ones(3, dtype=torch.bfloat16), "b": torch.ones(1).to(torch.float8_e4m3fn)}),
    )
    yield "none.safetensors", save({})
    yield "nothing.safetensors", save({"a": torch.zeros(0, 3), "b": torch.tensor(1.0)})
    yield "numpy.safetensors", save_arrays({"x": np.arange(6).reshape(2, 3), "y": np.zeros(3, bool)})


def _onnx() -> Iterator[tuple[str, bytes]]:
    import numpy as np
    import onnx
    import torch
    from onnx import helper

    network, x = _network().eval(), torch.zeros(2, 1, 8, 8)
    yield "network.onnx", written(lambda f: torch.onnx.export(network, (x,), f, dynamo=False))
    value, out = (helper.make_tensor_value_info(name, 1, [None, 3]) for name in "xy")
    weight = onnx.numpy_helper.from_array(np.ones((3, 3), np.float32), "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Gelu", ["h"], ["y"], domain="com.microsoft"),
    ]
    graph = helper.make_graph(nodes, "g", [value], [out], [weight])
    yield "contrib.onnx", helper.make_model(graph).SerializeToString()
    outside = onnx.TensorProto()
    outside.CopyFrom(weight)
    onnx.external_data_helper.set_external_data(outside, "weights.bin", 0, 36)
    outside.ClearField("raw_data")
    graph = helper.make_graph(
        [*nodes[:1], helper.make_node("Relu", ["h"], ["y"])], "g", [value], [out], [outside]
    )
    yield "external.onnx", helper.make_model(graph).SerializeToString()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    inner = helper.make_function(
        "local", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets[:1]
    )
    graph = helper.make_graph([helper.make_node("Double", ["x"], ["y"], domain="local")], "g", [value], [out])
    yield (
        "function.onnx",
        helper.make_model(graph, functions=[inner], opset_imports=opsets).SerializeToString(),
    )
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])], "b", [], [helper.make_tensor_value_info("z", 1, None)]
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph([node], "g", [value, helper.make_tensor_value_info("c", 9, [1])], [out])
    yield "branch.onnx", helper.make_model(graph).SerializeToString()


def _estimators() -> dict[str, Any]:
    from sklearn import (
        calibration,
        cluster,
        decomposition,
        ensemble,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )

    return {
        "forest": ensemble.RandomForestClassifier(3),
        "histogram": ensemble.HistGradientBoostingClassifier(max_iter=3),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=3),
        "logistic": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
        "svm": svm.SVC(),
        "neighbours": neighbors.KNeighborsClassifier(),
        "perceptron": neural_network.MLPClassifier((4,), max_iter=3),
        "bayes": naive_bayes.GaussianNB(),
        "tree": tree.DecisionTreeClassifier(max_depth=2),
        "sgd": linear_model.SGDClassifier(loss="log_loss"),
        "voting": ensemble.VotingClassifier(
            [("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier())]
        ),
        "calibrated": calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2),
        "clusters": pipeline.make_pipeline(decomposition.PCA(2), cluster.KMeans(2, n_init=1)),
    }


def _table() -> tuple[Any, Any]:
    import numpy as np

    return np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2


def _sklearn() -> Iterator[tuple[str, bytes]]:
    import joblib
    import skops.io

    x, y = _table()
    for name, estimator in _estimators().items():
        estimator.fit(x, y)
        yield f"{name}.joblib", written(lambda f, value=estimator: joblib.dump(value, f))
        yield f"{name}.pkl", pickle.dumps(estimator)
        yield f"{name}.skops", skops.io.dumps(estimator)
    for how in (3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)):
        word = how if isinstance(how, int) else how[0]
        yield (
            f"packed-{word}.joblib",
            written(lambda f, how=how: joblib.dump({"x": x, "model": y}, f, compress=how)),
        )


def _boosting() -> Iterator[tuple[str, bytes]]:
    import joblib
    import lightgbm
    import xgboost

    x, y = _table()
    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(x, y)
    for kind in ("json", "ubj"):
        yield f"xgboost.{kind}", bytes(model.get_booster().save_raw(kind))
    yield "xgboost.pkl", pickle.dumps(model)
    yield "xgboost.joblib", written(lambda f: joblib.dump(model, f))
    stump = xgboost.XGBRegressor(n_estimators=1, max_depth=0).fit(x, y)
    yield "stump.ubj", bytes(stump.get_booster().save_raw("ubj"))
    linear = xgboost.XGBClassifier(booster="gblinear", n_estimators=2).fit(x, y)
    yield "linear.json", bytes(linear.get_booster().save_raw("json"))
    dart = xgboost.XGBClassifier(booster="dart", n_estimators=2).fit(x, y)
    yield "dart.json", bytes(dart.get_booster().save_raw("json"))
    light = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(x, y)
    yield "lightgbm/model.txt", light.booster_.model_to_string().encode()
    yield "lightgbm.pkl", pickle.dumps(light)
    constant = lightgbm.LGBMRegressor(n_estimators=1, verbose=-1, min_child_samples=99).fit(x, y)
    yield "constant/model.txt", constant.booster_.model_to_string().encode()
