"""ONNX models through ONNX Runtime on the CPU: scores only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gambeson.core.errors import Refused, UsageError, missing_extra
from gambeson.models.labels import column_order
from gambeson.models.model import ModelInfo
from gambeson.models.model_file import ModelFile, damaged
from gambeson.models.onnx_file import OnnxFile, read_onnx
from gambeson.models.probing import Answer, Expected, check_shape, finish, probe

_DTYPES: dict[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
}


@dataclass(frozen=True, slots=True)
class Graph:
    """A session, its one input, and the output that holds the scores.

    Attributes:
        session: ``onnxruntime.InferenceSession``.
        input: Name of the input.
        dtype: Type that the input takes.
        batch: Rows that one call takes, or ``None`` for any number.
        output: Name of the output.
        names: Class names in the data's order, for outputs that are dicts by label.
    """

    session: Any
    input: str
    dtype: type[np.floating[Any]]
    batch: int | None
    output: str
    names: tuple[str, ...]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Raw answer to (n, *shape) float32."""
        rows = self.batch or len(x)
        parts = [self._run(x[at : at + rows], rows) for at in range(0, len(x), max(rows, 1))]
        return np.concatenate(parts)

    def _run(self, part: np.ndarray, rows: int) -> np.ndarray:
        missing = rows - len(part)
        padded = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part
        found = self.session.run([self.output], {self.input: padded.astype(self.dtype, copy=False)})[0]
        return self._columns(found)[: len(part)]

    def _columns(self, found: Any) -> np.ndarray:
        """Scikit-learn converters may answer with one dict of probabilities by label for each row."""
        if isinstance(found, list):
            labels = list(found[0])
            order = column_order(labels, self.names, self.output)
            return np.array([[row[labels[i]] for i in order] for row in found], np.float32)
        return np.asarray(found)


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """An ONNX model behind the seam."""

    graph: Graph
    info: ModelInfo
    answer: Answer

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        return finish(self.info.name, self.graph(x), self.answer)


def open_onnx(file: ModelFile, expected: Expected) -> OnnxModel:
    """An ONNX classifier with one input and an output of scores.

    Raises:
        IntegrityError: The file is truncated or damaged.
        Refused: It points to weights outside its folder, or needs operators from a library of its own.
        UsageError: It has several inputs, no output of scores, or other shapes or classes than the data.
        ModelError: It raised, or answered with something unusable.
        Unavailable: ``onnx`` or ``onnxruntime`` is missing.
    """
    read = read_onnx(file)
    session = _open_session(file, read)
    graph = _choose(file, session, expected)
    answer = probe(file.name, graph, expected)
    schema = expected.schema
    info = ModelInfo(
        file.name, "onnx", schema.shape, expected.count, answer.scores, read.digest, read.parameters
    )
    return OnnxModel(graph, info, answer)


def _open_session(file: ModelFile, read: OnnxFile) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise missing_extra("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is said once, in the exception
    try:
        return onnxruntime.InferenceSession(read.data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        said = " ".join(str(error).split())
        if (
            "is not a registered function/op" in said
            or "No opset import" in said
            or "NOT_IMPLEMENTED" in said
        ):
            raise Refused(
                f"{file.name!r} needs an operator that ONNX Runtime does not have: {said[:200]}",
                expected="standard ONNX operators; libraries of custom operators are not loaded",
                remedy="export the model from standard operators",
            ) from error
        raise damaged(file.name, "an ONNX model", error) from error


def _choose(file: ModelFile, session: Any, expected: Expected) -> Graph:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in _DTYPES:
        found = ", ".join(f"{node.name}: {node.type}" for node in inputs)
        raise UsageError(
            f"The model {file.name} takes the inputs ({found}).",
            expected="one input of floating-point numbers, a batch of samples",
            remedy="export it with one float tensor as input",
        )
    sizes = [size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape]
    check_shape(file.name, tuple(sizes[1:]), expected.schema)
    output = _scores_output(file, session, expected.count)
    kind = _DTYPES[inputs[0].type]
    return Graph(session, inputs[0].name, kind, sizes[0], output, expected.schema.classes)


def _scores_output(file: ModelFile, session: Any, count: int) -> str:
    """The first output of floats with a column per class; a label output beside it is passed over."""
    outputs = session.get_outputs()
    for node in outputs:
        is_map = node.type in ("seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")
        if is_map or (node.type in _DTYPES and _has_columns(node.shape, count)):
            return str(node.name)
    floats = [node for node in outputs if node.type in _DTYPES]
    if floats:  # the probe says how many classes it has
        return str(floats[0].name)
    found = ", ".join(f"{node.name}: {node.type} {node.shape}" for node in outputs)
    raise UsageError(
        f"The model {file.name} has no output of scores: ({found}).",
        expected=f"an output (batch, {count}) of floating-point scores",
        remedy="export it with its probabilities or logits as output",
    )


def _has_columns(shape: list[Any], count: int) -> bool:
    return len(shape) == 2 and (
        not isinstance(shape[1], int) or shape[1] in (count, 1 if count == 2 else count)
    )
