"""Networks whose gradients are masked on purpose, each in one way, around a network that is not."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Around(nn.Module):
    """A network around another."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net


class Saturated(Around):
    """Logits so large that the softmax is 0 or 1."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * 1_000


class LowTemperature(Around):
    """Probabilities at temperature 1e-4."""

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) / 1e-4).softmax(1)


class QuantisedOutput(Around):
    """Logits rounded to quarters."""

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) * 4).round() / 4


class Noisy(Around):
    """Noise on the input, afresh for each answer."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x + 0.1 * torch.randn_like(x))


class BitDepth(Around):
    """Inputs rounded to 16 levels, as pictures with few colours."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x * 16).round() / 16)


class OutsideAutograd(Around):
    """A preprocessing step that runs outside autograd, as a JPEG codec would."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.from_numpy((x.detach().numpy() * 255).round() / 255).float())


class Dead(Around):
    """A path that autograd cannot follow, and one of zeros that it can."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.detach()) + 0 * x.flatten(1).sum(1, keepdim=True)


class BatchDependent(Around):
    """Centres its answers over the batch, as batch normalisation in training mode does."""

    def forward(self, x: Tensor) -> Tensor:
        scores = self.net(x)
        return scores - 0.2 * scores.mean(0)


class Shattered(Around):
    """A ripple on every input whose slope outweighs the signal's, and whose height does not."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x + 0.01 * torch.sin(2_000 * x))
