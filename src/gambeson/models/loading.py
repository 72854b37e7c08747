"""Opening a model by path or URI: the content decides which adapter reads it."""

from __future__ import annotations

from gambeson.core.errors import UsageError, missing_extra
from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable, Model, Trainable
from gambeson.models.model_file import READABLE, ModelFile, check_findings, read_model_file
from gambeson.models.probing import Expected
from gambeson.supply.sniffing import Format

_NAMES = {
    "torch": "PyTorch",
    "onnx": "ONNX",
    "sklearn": "scikit-learn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "callable": "Python function",
}


def open_model(
    uri: str,
    *,
    schema: Schema,
    factory: str | None = None,
    scores: str | None = None,
    classes: int | None = None,
    device: str = "cpu",
) -> Model:
    """Open a model for an audit; nothing is unpickled, and the bytes that are digested are those that load.

    The model is called once, on eight inputs inside the bounds, to learn what it answers.

    Args:
        uri: Path of a ``.pt2``, ``.safetensors``, ``.pt``, ``.onnx``, ``.skops``, ``.json``, ``.ubj`` or
            ``.txt`` file, or ``python:package.module:function``.
        schema: Shape, bounds, classes and features of the data it will be audited on.
        factory: ``package.module:function`` or ``file.py:function`` that builds the network for bare weights.
        scores: ``"logits"`` or ``"probabilities"``; ``None`` finds out.
        classes: Number of classes where the data does not show all of them.
        device: ``"cpu"`` or ``"cuda"``, for PyTorch models.

    Raises:
        UsageError: The file is missing or in no known format, or model and data don't belong together.
        Refused: Loading it could run code.
        IntegrityError: It is empty, truncated, damaged or not what its extension says.
        ModelError: The model raised or answered with something unusable.
        Unavailable: Its framework is not installed.
    """
    expected = Expected(schema, scores, classes)
    if uri.startswith("python:"):
        from gambeson.models.callable_model import open_callable

        return open_callable(uri, expected)
    return _open_file(read_model_file(uri), expected, factory, device)


def _open_file(file: ModelFile, expected: Expected, factory: str | None, device: str) -> Model:
    check_findings(file)
    match file.format:
        case Format.TORCH_EXPORT | Format.SAFETENSORS | Format.TORCH_ZIP:
            return _open_torch(file, expected, factory, device)
        case Format.ONNX:
            from gambeson.models.onnx_model import open_onnx

            return open_onnx(file, expected)
        case Format.SKOPS:
            from gambeson.models.sklearn_model import open_sklearn

            return open_sklearn(file, expected)
        case Format.JSON | Format.UBJSON:
            from gambeson.models.xgboost_model import open_xgboost

            return open_xgboost(file, expected)
        case Format.LIGHTGBM:
            from gambeson.models.lightgbm_model import open_lightgbm

            return open_lightgbm(file, expected)
    raise UsageError(
        f"{file.name!r} is {file.format.value}, which is no model that Gambeson reads.", expected=READABLE
    )


def _open_torch(file: ModelFile, expected: Expected, factory: str | None, device: str) -> Model:
    try:
        from gambeson.models.torch_model import open_program, open_weights
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise missing_extra("torch", "torch") from None
    if file.format is Format.TORCH_EXPORT:
        return open_program(file, expected, device)
    return open_weights(file, expected, factory, device)


def describe(model: Model) -> tuple[tuple[str, str], ...]:
    """Facts about a model for the reader of a report, as ``(name, value)`` pairs."""
    info = model.info
    facts = [
        ("framework", _NAMES.get(info.kind, info.kind)),
        ("input", " × ".join(map(str, info.shape))),
        ("classes", str(info.classes)),
        ("scores", info.scores),
        ("gradients", "yes" if isinstance(model, Differentiable) else "no"),
        ("reference models", "can be trained" if isinstance(model, Trainable) else "cannot be trained"),
    ]
    if info.parameters:
        facts.append(("parameters", f"{info.parameters:,}"))
    return tuple(facts)
