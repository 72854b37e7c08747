"""Weights of a PyTorch network from safetensors or a state dict, and putting them into the network."""

from __future__ import annotations

import io
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gambeson.core.errors import IntegrityError, Refused, UsageError, missing_extra
from gambeson.models.model_file import ModelFile, damaged
from gambeson.supply.sniffing import Format

HEADER_LIMIT = 100_000_000
"""Longest safetensors header that is read, in bytes; the format's own limit."""

_COUNTER = "num_batches_tracked"
"""Batch normalisation counts its training steps; evaluation has no use for it and old files lack it."""

_NAMED = 3
"""How many missing or unexpected weights a message names."""


def read_weights(file: ModelFile) -> Mapping[str, Tensor]:
    """Tensors by name, on the CPU.

    Raises:
        Refused: A state dict holds more than tensors.
        IntegrityError: The file is truncated or damaged.
        UsageError: It holds something else than tensors by name.
        Unavailable: The package ``safetensors`` is missing.
    """
    return _read_safetensors(file) if file.format is Format.SAFETENSORS else _read_state_dict(file)


def _read_safetensors(file: ModelFile) -> Mapping[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError:
        raise missing_extra("safetensors", "torch") from None
    length = int.from_bytes(file.data[:8], "little")
    if length > HEADER_LIMIT:
        raise IntegrityError(
            f"The safetensors header of {file.name!r} claims {length} bytes.",
            expected=f"at most {HEADER_LIMIT} bytes",
            remedy="copy the file again; if it is whole, it was made to exhaust memory",
        )
    try:
        weights: dict[str, Tensor] = load(file.data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise damaged(file.name, "a safetensors file", error) from error
    return weights


def _read_state_dict(file: ModelFile) -> Mapping[str, Tensor]:
    try:
        loaded = torch.load(io.BytesIO(file.data), map_location="cpu", weights_only=True)
    except Exception as error:
        # the class lives in the pickle module, which nothing here imports
        if type(error).__name__ != "UnpicklingError":
            raise damaged(file.name, "a torch.save archive", error) from error
        raise Refused(
            f"{file.name!r} holds pickled objects beside tensors: loading it could run any code.",
            expected="a state dict of plain tensors",
            remedy="where it was made: safetensors.torch.save_file(model.state_dict(), 'model.safetensors')",
        ) from error
    weights = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else loaded
    if not isinstance(weights, Mapping) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise UsageError(
            f"{file.name!r} holds no state dict but {type(loaded).__name__}.",
            expected="tensors by name, or a dict with them under 'state_dict'",
            remedy="save model.state_dict() alone",
        )
    return weights


def put_weights(network: nn.Module, weights: Mapping[str, Tensor], name: str, factory: str) -> None:
    """Fill a network in place.

    Raises:
        UsageError: Names or shapes of the weights are not those of the network.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in weights and not key.endswith(_COUNTER)]
    _check_names(missing, "lacks", name, factory)
    _check_names([key for key in weights if key not in own], "has, but the network does not,", name, factory)
    for key, value in weights.items():
        if own[key].shape != value.shape:
            raise UsageError(
                f"The weight {key!r} of {name!r} has shape {tuple(value.shape)}; "
                f"the network of {factory} has {tuple(own[key].shape)}.",
                expected="the weights of this very architecture",
                remedy="give the factory the width and number of classes that the weights were trained with",
            )
    network.load_state_dict(dict(weights), strict=False)


def _check_names(keys: list[str], verb: str, name: str, factory: str) -> None:
    if keys:
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        raise UsageError(
            f"{name!r} {verb} {', '.join(map(repr, keys[:_NAMED]))}{more} (network of {factory}).",
            expected="exactly the weights that the network has",
            remedy="name the factory of this very architecture",
        )
