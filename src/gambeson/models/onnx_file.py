"""Reading an ONNX file: its bytes, and weights kept beside it, each digested and held to the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gambeson.core.errors import IntegrityError, Refused, missing_extra
from gambeson.core.reproduce import digest_bytes
from gambeson.models.model_file import ModelFile, damaged


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A model that needs no other file.

    Attributes:
        data: The serialised model with all its weights inside.
        digest: ``sha256:<hex>`` of the file, or of the file and its weight files.
        parameters: Number of floating-point weights; integers are shapes and indices.
    """

    data: bytes
    digest: str
    parameters: int


def read_onnx(file: ModelFile) -> OnnxFile:
    """Parse a model and bring weights that lie beside it into it.

    Raises:
        IntegrityError: The file is truncated or damaged, or its weight file is missing or too short.
        Refused: Its weights lie outside its own folder.
        Unavailable: The package ``onnx`` is missing.
    """
    try:
        import onnx
    except ImportError:
        raise missing_extra("onnx", "onnx") from None
    try:
        model = onnx.load_model_from_string(file.data)
    except Exception as error:
        raise damaged(file.name, "an ONNX model", error) from error
    tensors = list(_tensors(model))
    outside = [tensor for tensor in tensors if tensor.data_location == onnx.TensorProto.EXTERNAL]
    floats = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16}
    count = sum(_size(tensor) for tensor in model.graph.initializer if tensor.data_type in floats)
    if not outside:
        return OnnxFile(file.data, file.digest, count)
    contents = _embed(file, outside)
    digests = [hashlib.sha256(data).digest() for data in (file.data, *contents)]
    return OnnxFile(model.SerializeToString(), digest_bytes(digests), count)


def _tensors(node: Any) -> Iterator[Any]:
    """Every tensor of a protobuf message, however deep: initialisers, constants, subgraphs, functions."""
    for field, value in node.ListFields():
        if field.message_type is None:
            continue
        for item in value if hasattr(value, "__len__") else (value,):
            if item.DESCRIPTOR.full_name == "onnx.TensorProto":
                yield item
            else:
                yield from _tensors(item)


def _size(tensor: Any) -> int:
    size = 1
    for dimension in tensor.dims:
        size *= dimension
    return size


def _embed(file: ModelFile, tensors: list[Any]) -> list[bytes]:
    """Copy external weights into their tensors; the contents of the files they came from, by name."""
    contents: dict[str, bytes] = {}
    for tensor in tensors:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        if location not in contents:
            contents[location] = _read_beside(file, location)
        tensor.raw_data = _slice(file, contents[location], entries)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    return [contents[location] for location in sorted(contents)]


def _read_beside(file: ModelFile, location: str) -> bytes:
    folder = file.path.resolve().parent
    path = (folder / location).resolve()  # follows links: what counts is where the bytes lie
    if not location or Path(location).is_absolute() or not path.is_relative_to(folder):
        raise Refused(
            f"{file.name!r} wants to read its weights from {location!r}, outside its own folder.",
            expected="a weight file in the folder of the model",
            remedy="save the model with its weights inside: onnx.save_model(model, path)",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(
            f"{file.name!r} keeps weights in {location!r}, which cannot be read: {error.strerror}.",
            expected=f"the file {location!r} in the folder of the model",
            remedy="copy it there too",
        ) from error


def _slice(file: ModelFile, data: bytes, entries: dict[str, str]) -> bytes:
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", len(data) - offset))
    except ValueError as error:
        raise damaged(file.name, "an ONNX model", error) from error
    if offset < 0 or length < 0 or offset + length > len(data):
        raise IntegrityError(
            f"{file.name!r} wants {length} bytes at {offset} of a weight file that has {len(data)}.",
            expected="the complete weight file as it was saved",
            remedy="copy it again",
        )
    return data[offset : offset + length]
