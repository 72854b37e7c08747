"""PyTorch models: exported programs, and weights with a factory that builds the network."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.core.errors import ModelError, UsageError
from gambeson.core.reproduce import digest_value
from gambeson.data.schema import Schema
from gambeson.models.factory import call_factory, import_function
from gambeson.models.model import ModelInfo
from gambeson.models.model_file import ModelFile
from gambeson.models.precision import gains_from_half
from gambeson.models.probing import LOGITS, Answer, Expected, check_finite, check_shape, probe, probe_rows
from gambeson.models.torch_answer import logits, widen
from gambeson.models.torch_ensemble import Ensemble
from gambeson.models.torch_export import load_program
from gambeson.models.torch_trainee import Trainee
from gambeson.models.torch_training import train
from gambeson.models.torch_weights import put_weights, read_weights


@dataclass(frozen=True, slots=True)
class Network:
    """A module and how to call it.

    Attributes:
        module: In evaluation mode, parameters frozen.
        device: Where it and its inputs live.
        batch: Rows that one call takes, or ``None`` for any number.
        channels_last: Memory layout of image batches (N, C, H, W); faster convolutions on CPUs.
    """

    module: nn.Module
    device: str
    batch: int | None = None
    channels_last: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Raw answer to (n, *shape) float32."""
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        if self.batch is None:
            return self.module(x)  # type: ignore[no-any-return]
        return torch.cat(
            [self.module(_pad(part, self.batch))[: len(part)] for part in torch.split(x, self.batch)]
        )

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The same for arrays, without gradients."""
        with torch.no_grad():
            raw = self(torch.from_numpy(x).to(self.device))
        if not isinstance(raw, Tensor):
            raise ModelError(
                f"The network returns {type(raw).__name__}.",
                expected="one tensor (n, classes)",
                remedy="wrap it in a module whose forward returns the scores alone",
            )
        return raw.float().cpu().numpy()


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A PyTorch network behind the seam."""

    network: Network
    info: ModelInfo
    answer: Answer

    @property
    def device(self) -> str:
        """Where tensors must live, e.g. ``"cpu"`` or ``"cuda:0"``."""
        return self.network.device

    @property
    def gains_from_half(self) -> bool:
        """Whether bfloat16 pays: convolutions or large layers, on a device that has instructions for it."""
        return gains_from_half(self.network.module, self.network.device)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (n, classes) of (n, *shape) float32 on ``device``; keeps the autograd graph."""
        return widen(self.network(x), self.answer)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        with torch.no_grad():
            found = self.forward(torch.from_numpy(x).to(self.device)).float().cpu().numpy()
        check_finite(self.info.name, found)
        return found


@dataclass(frozen=True, slots=True)
class TrainableTorchModel(TorchModel):
    """A network whose factory can build it anew, for reference models.

    Attributes:
        build: The factory.
        factory: Its reference, for messages.
    """

    build: Callable[[], Any]
    factory: str

    def __reduce__(self) -> tuple[Callable[..., TrainableTorchModel], tuple[object, ...]]:
        """Travels to another process as its factory's name and its weights: the factory's module may be a file."""
        weights = {name: value.cpu().numpy() for name, value in self.network.module.state_dict().items()}
        return _reopen, (
            self.factory,
            weights,
            self.device,
            self.network.channels_last,
            self.info,
            self.answer,
        )

    @property
    def recipe(self) -> str:
        """Digest of the factory's code and network, of how it is trained, and of torch; empty without its source."""
        try:
            sources = [inspect.getsource(inspect.getmodule(part) or part) for part in (self.build, train)]
        except (OSError, TypeError):
            return ""
        network = [str(self.network.module), *(list(p.shape) for p in self.network.module.parameters())]
        return digest_value(
            [self.factory, sources, network, str(self.answer), self.device, torch.__version__]
        )

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> TorchModel:
        """A fresh network of the same factory, fitted to other data by ``torch_training.train``.

        Args:
            x: (n, *shape) float32 in input units.
            y: (n,) int64 labels.
            seed: Seeds initialisation and shuffling.

        Raises:
            UsageError: The factory raised.
            ModelError: Training failed or diverged.
        """
        module = train(
            lambda: _build(self.build, self.factory).to(self.device),
            lambda raw: logits(raw, self.answer).log_softmax(1),
            torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(self.device),
            torch.from_numpy(np.ascontiguousarray(y, np.int64)).to(self.device),
            seed=seed,
        )
        network = _settle(Network(_freeze(module), self.device), like=self.network)
        return TorchModel(network, self.info, self.answer)

    def trainee(self, *, fresh: bool, seed: int) -> Trainee:
        """A network to train further: a copy with these weights, or a fresh one of the same factory.

        Args:
            fresh: Whether to start from new weights.
            seed: Seeds them; the caller's random state is left as it was.

        Raises:
            UsageError: The factory raised.
        """
        if fresh:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                module = _build(self.build, self.factory).to(self.device)
        else:
            module = copy.deepcopy(self.network.module)
        module = _settle(Network(module, self.device), like=self.network).module.requires_grad_(True)
        return Trainee(module, self.device, self.answer, self.network.channels_last)

    def ensemble(self, count: int, *, fresh: bool, seed: int) -> Trainee:
        """Several networks of the same factory to be trained as one, whose probabilities are averaged.

        Args:
            count: Number of networks, at least 2; the first is as ``trainee`` gives it, the others are fresh.
            fresh: Whether the first one is fresh, too.
            seed: Seeds all fresh weights.

        Raises:
            UsageError: The factory raised.
        """
        first = self.trainee(fresh=fresh, seed=seed)
        others = [self.trainee(fresh=True, seed=seed + number) for number in range(1, count)]
        networks = [member.module for member in (first, *others)]
        return replace(first, module=Ensemble(networks, self.answer), answer=Answer(LOGITS, single=False))


def open_program(file: ModelFile, expected: Expected, device: str) -> TorchModel:
    """A ``torch.export`` program.

    Raises:
        Refused: The archive holds what must not be loaded (see ``torch_export``).
        IntegrityError: It is truncated or damaged.
        UsageError: Its shape or number of classes is not the data's, or the device cannot be used.
        ModelError: It raised, or answered with something unusable.
    """
    _check_device(device)
    program = load_program(file)
    check_shape(file.name, program.shape, expected.schema)
    network = _fastest(Network(program.module.to(device), device, program.batch), expected.schema)
    answer = probe(file.name, network.predict, expected)
    return TorchModel(network, _info(file, program.module, expected, answer), answer)


def open_weights(
    file: ModelFile, expected: Expected, factory: str | None, device: str
) -> TrainableTorchModel:
    """Weights (safetensors or a state dict) in the network that a factory builds.

    Raises:
        UsageError: No factory was given, it raised, or its network does not fit the weights or the data.
        Refused: The state dict holds more than tensors.
        IntegrityError: The file is truncated or damaged.
        ModelError: The network raised, or answered with something unusable.
    """
    if factory is None:
        raise UsageError(
            f"{file.name!r} holds weights but no network.",
            expected="--factory package.module:function, which returns the untrained torch.nn.Module",
            remedy="name the factory, or export the whole model to a .pt2 file with torch.export.save",
        )
    _check_device(device)
    weights = read_weights(file)
    build = import_function(factory)
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn; the caller's stream must not notice
        module = _build(build, factory)
    put_weights(module, weights, file.name, factory)
    network = _fastest(Network(_freeze(module).to(device), device), expected.schema)
    try:
        answer = probe(file.name, network.predict, expected)
    except ModelError:
        _check_first_layer(file.name, module, expected.schema)
        raise
    return TrainableTorchModel(network, _info(file, module, expected, answer), answer, build, factory)


def _reopen(
    factory: str,
    weights: dict[str, np.ndarray],
    device: str,
    channels_last: bool,
    info: ModelInfo,
    answer: Answer,
) -> TrainableTorchModel:
    """The model that ``TrainableTorchModel.__reduce__`` took apart."""
    build = import_function(factory)
    module = _build(build, factory)
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    like = Network(module, device, None, channels_last)
    network = _settle(Network(_freeze(module).to(device), device), like=like)
    return TrainableTorchModel(network, info, answer, build, factory)


def _check_device(device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"The device {device!r} cannot be used: {str(error).splitlines()[0]}",
            expected="cpu, or cuda where torch finds a GPU",
        ) from error


def _build(factory: Callable[[], Any], reference: str) -> nn.Module:
    module = call_factory(factory, reference)
    if not isinstance(module, nn.Module):
        raise UsageError(
            f"The factory {reference} returned {type(module).__name__}.", expected="a torch.nn.Module"
        )
    return module


def _freeze(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False)


def _info(file: ModelFile, module: nn.Module, expected: Expected, answer: Answer) -> ModelInfo:
    count = sum(parameter.numel() for parameter in module.parameters())
    shape = expected.schema.shape
    return ModelInfo(file.name, "torch", shape, expected.count, answer.scores, file.digest, count)


def _fastest(network: Network, schema: Schema) -> Network:
    """Channels last where the network convolves images and its answers stay the same."""
    convolves = any(p.ndim == 4 for p in network.module.parameters()) and len(schema.shape) == 3
    if not convolves:
        return network
    rows = probe_rows(schema)
    try:
        plain = network.predict(rows)
        other = _settle(network, like=Network(network.module, network.device, network.batch, True))
        if np.allclose(plain, other.predict(rows), rtol=1e-3, atol=1e-4):
            return other
    except Exception:  # noqa: S110  # the probe, which comes next, reports it; a view() may need rows in order
        pass
    network.module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return network


def _settle(network: Network, *, like: Network) -> Network:
    """The same module in the memory layout of another network."""
    if like.channels_last:
        network.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Network(network.module, network.device, network.batch, like.channels_last)


def _check_first_layer(name: str, module: nn.Module, schema: Schema) -> None:
    """Name both shapes where the first layer shows that model and data don't belong together."""
    first = next((m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Conv2d):
        check_shape(name, (first.in_channels, None, None), schema)
    elif isinstance(first, nn.Linear) and len(schema.shape) == 1:
        check_shape(name, (first.in_features,), schema)


def _pad(part: Tensor, rows: int) -> Tensor:
    missing = rows - len(part)
    return torch.cat([part, part[-1:].expand(missing, *part.shape[1:])]) if missing else part
