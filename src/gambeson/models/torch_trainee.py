"""A network that is being trained: its weights move, everything else is as in the model it came from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gambeson.models.precision import gains_from_half
from gambeson.models.probing import Answer
from gambeson.models.torch_answer import logits
from gambeson.models.torch_ensemble import Ensemble


@dataclass(frozen=True, slots=True)
class Trainee:
    """A module in training and how to call it.

    Attributes:
        module: With gradients switched on.
        device: Where it and its inputs live.
        answer: What its raw answer means.
        channels_last: Memory layout of image batches (N, C, H, W).
        half: Whether ``__call__`` computes in bfloat16 (weights stay float32).
    """

    module: nn.Module
    device: str
    answer: Answer
    channels_last: bool = False
    half: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Logits (n, classes) float32 of (n, *shape); keeps the autograd graph."""
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        kind = torch.device(self.device).type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.half):
            raw: Tensor = self.module(x)
        return logits(raw.float(), self.answer)

    @property
    def members(self) -> tuple[Trainee, ...]:
        """The networks of an ensemble, each alone; of any other network itself."""
        if not isinstance(self.module, Ensemble):
            return (self,)
        return tuple(replace(self, module=m, answer=self.module.answer) for m in self.module.networks)

    @property
    def gains_from_half(self) -> bool:
        """Whether bfloat16 makes it faster here; the same on every run."""
        return gains_from_half(self.module, self.device)

    def in_half(self, wanted: bool) -> Trainee:
        """The same network, computing in bfloat16 or not."""
        return replace(self, half=wanted)

    def twin(self) -> Trainee:
        """Another network with the same weights, which no longer follows this one."""
        return replace(self, module=copy.deepcopy(self.module))

    def weights(self) -> Mapping[str, Tensor]:
        """Its state, on the CPU, detached and contiguous: what a file of weights holds."""
        state = self.module.state_dict()
        return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
