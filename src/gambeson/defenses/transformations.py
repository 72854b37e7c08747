"""Transformations of the input in front of a network: offered so that an adapted attack can show what they are worth.

Most are worth little to an attacker who knows of them (Athalye, Carlini & Wagner 2018, arXiv:1802.00420; Tramèr et al.
2020, arXiv:2002.08347). The audit attacks through them: by BPDA, and by their mean answer where they are random.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.core.registry import Registry
from gambeson.defenses.training.base import RecipeFacts

transformations: Registry[Callable[..., nn.Module], RecipeFacts] = Registry("transformation")


@transformations.register(
    "bit_depth",
    RecipeFacts(
        "inputs rounded to a few levels before the network sees them; judged under BPDA",
        source="Xu, Evans & Qi 2018, arXiv:1704.01155, section III-A (feature squeezing)",
    ),
)
class BitDepth(nn.Module):
    """Rounds inputs to 2 ** bits levels between their bounds.

    Args:
        bits: From 1 to 16.
        low: Lowest value of an input.
        high: Highest value.
    """

    def __init__(self, bits: int = 3, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        if not 1 <= bits <= 16:
            raise UsageError(f"bit_depth was asked for {bits} bits.", expected="1 to 16")
        self.steps, self.low, self.width = 2**bits - 1, low, high - low

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to the same shape."""
        level: Tensor = torch.round((x - self.low) * (self.steps / self.width))
        rounded: Tensor = level * (self.width / self.steps) + self.low
        return rounded


@transformations.register(
    "median",
    RecipeFacts(
        "pictures smoothed by a median filter before the network sees them",
        source="Xu, Evans & Qi 2018, arXiv:1704.01155, section III-B (feature squeezing)",
    ),
)
class Median(nn.Module):
    """Replaces each pixel by the median of a square around it, in each channel; edges are repeated.

    Args:
        size: Side of the square, an odd number of at least 3.
        low: Not used.
        high: Not used.
    """

    def __init__(self, size: int = 3, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        if size < 3 or size % 2 == 0:
            raise UsageError(
                f"median was asked for a square of side {size}.", expected="an odd number from 3"
            )
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) to the same shape."""
        edge = self.size // 2
        padded = F.pad(x, (edge, edge, edge, edge), mode="replicate")
        squares = padded.unfold(2, self.size, 1).unfold(3, self.size, 1)
        return squares.reshape(*x.shape, -1).median(-1).values


@transformations.register(
    "random_resize",
    RecipeFacts(
        "pictures shrunk at random and padded at random before the network sees them; judged by its mean answer (EOT)",
        source="Xie et al. 2018, arXiv:1711.01991",
    ),
)
class RandomResize(nn.Module):
    """Shrinks a batch of pictures to a random size and pads it with its lowest value at a random place.

    Args:
        least: Smallest size, relative to the picture's, in (0, 1).
        low: What is padded with.
        high: Not used.
    """

    def __init__(self, least: float = 0.85, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        if not 0 < least < 1:
            raise UsageError(f"random_resize was asked for a size of {least}.", expected="between 0 and 1")
        self.least, self.low = least, low

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) to the same shape."""
        sides = x.shape[-2:]
        share = self.least + (1 - self.least) * float(torch.rand(()))
        height, width = (max(1, round(side * share)) for side in sides)
        small = F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
        top, left = (
            int(torch.randint(side - s + 1, ())) for side, s in zip(sides, small.shape[-2:], strict=True)
        )
        around = (left, sides[1] - width - left, top, sides[0] - height - top)
        return F.pad(small, around, value=self.low)


class Transformed(nn.Module):
    """A transformation in front of a network.

    Args:
        network: Takes what the transformation gives.
        transformation: From inputs to inputs of the same shape.
    """

    def __init__(self, network: nn.Module, transformation: nn.Module) -> None:
        super().__init__()
        self.transformation, self.network = transformation, network

    def forward(self, x: Tensor) -> Tensor:
        """Whatever the network gives."""
        answer: Tensor = self.network(self.transformation(x))
        return answer
