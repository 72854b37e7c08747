"""All that training has changed so far: weights, their running mean, the optimiser. It can be kept and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.models.torch_trainee import Trainee


@dataclass(slots=True)
class State:
    """Training under way.

    Attributes:
        trainee: The network whose weights move.
        mean: A network with the running mean of its weights, or the network itself where none is kept.
        optimizer: Steps along the gradient.
        step: Steps made.
    """

    trainee: Trainee
    mean: Trainee
    optimizer: torch.optim.Optimizer
    step: int = 0

    def follow(self, decay: float) -> None:
        """Move the running mean towards the weights; it follows faster while few steps are made.

        Args:
            decay: Share of the mean that stays; 0 where no mean is kept.
        """
        if self.mean is self.trainee:
            return
        kept = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(_tensors(self.mean.module), _tensors(self.trainee.module), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - kept)
                else:
                    mean.copy_(now)

    def copy(self) -> dict[str, np.ndarray]:
        """Everything, as arrays by name."""
        parts = {"weights": self.trainee.module.state_dict()}
        if self.mean is not self.trainee:
            parts["mean"] = self.mean.module.state_dict()
        for number, slots in self.optimizer.state_dict()["state"].items():
            parts[f"optimizer/{number}"] = {k: v for k, v in slots.items() if isinstance(v, Tensor)}
        found = {
            f"{part}/{name}": value.detach().cpu().numpy().copy()
            for part, values in parts.items()
            for name, value in values.items()
        }
        return {**found, "step": np.array(self.step)}

    def put_back(self, kept: Mapping[str, np.ndarray]) -> None:
        """Be as when ``copy`` was called."""
        self.trainee.module.load_state_dict(_part(kept, "weights"))
        if self.mean is not self.trainee:
            self.mean.module.load_state_dict(_part(kept, "mean"))
        state = self.optimizer.state_dict()
        numbers = {int(name.split("/")[1]) for name in kept if name.startswith("optimizer/")}
        state["state"] = {number: _part(kept, f"optimizer/{number}") for number in sorted(numbers)}
        self.optimizer.load_state_dict(state)
        for parameter, slots in self.optimizer.state.items():
            slots.update({name: _laid_out(value, parameter) for name, value in slots.items()})
        self.step = int(kept["step"])


def begin(trainee: Trainee, optimizer: torch.optim.Optimizer, *, mean: bool) -> State:
    """The state before the first step.

    Args:
        trainee: The network.
        optimizer: Holds its parameters.
        mean: Whether a running mean of the weights is kept.
    """
    return State(trainee, trainee.twin() if mean else trainee, optimizer)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _laid_out(value: Any, like: Tensor) -> Any:
    """A moment in the memory layout of its parameter: fused optimisers walk through both as they lie."""
    if not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    return torch.empty_like(like, dtype=value.dtype, requires_grad=False).copy_(value)


def _part(kept: Mapping[str, np.ndarray], part: str) -> dict[str, Tensor]:
    start = f"{part}/"
    return {k.removeprefix(start): torch.from_numpy(v.copy()) for k, v in kept.items() if k.startswith(start)}
