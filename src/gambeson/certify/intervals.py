"""Interval bound propagation, and a bound on what float32 rounding adds.

Source: Gowal et al. 2018, On the effectiveness of interval bound propagation for training verifiably robust
models, arXiv:1810.12715, section 3; Higham 2002, Accuracy and stability of numerical algorithms, section 3.1
(an inner product of k terms errs by at most k u / (1 - k u) times the sum of magnitudes, in any order).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.certify.network import Affine, Network, Node
from gambeson.certify.region import Region

_UNIT = 2.0**-24
"""Unit roundoff of float32."""


@dataclass(slots=True)
class Box:
    """Lower and upper bounds of one node: low <= value <= high, each (n, *shape)."""

    low: Tensor
    high: Tensor

    def meet(self, other: Box) -> Box:
        """The bounds that follow from both."""
        return Box(torch.maximum(self.low, other.low), torch.minimum(self.high, other.high))

    @property
    def magnitude(self) -> Tensor:
        """Largest absolute value."""
        return torch.maximum(self.low.abs(), self.high.abs())

    @property
    def unstable(self) -> Tensor:
        """Where a rectifier may be on or off."""
        return (self.low < 0) & (self.high > 0)


def step(node: Node, boxes: list[Box]) -> Box:
    """Bounds of a node from those of its inputs."""
    if not isinstance(node.op, Affine):
        return Box(boxes[0].low.clamp_min(0), boxes[0].high.clamp_min(0))
    middle = node.op(*((b.low + b.high) / 2 for b in boxes))
    half = node.op.spread(*((b.high - b.low) / 2 for b in boxes))
    return Box(middle - half, middle + half)


def propagate(network: Network, region: Region) -> list[Box]:
    """Bounds of every node."""
    boxes = [Box(region.low, region.high)]
    for node in network.nodes[1:]:
        boxes.append(step(node, [boxes[i] for i in node.inputs]))
    return boxes


def rounding(network: Network, boxes: list[Box]) -> Tensor:
    """Most by which a float32 evaluation, in any order of summation, errs in each score: (n, classes).

    Args:
        network: The network.
        boxes: Bounds of every node.

    It holds for arithmetic that rounds every operation to float32 or better; not for bfloat16, TF32, or
    convolutions by fast transforms.
    """
    errors = [torch.zeros_like(boxes[0].low)]
    for node in network.nodes[1:]:
        before = [errors[i] for i in node.inputs]
        if not isinstance(node.op, Affine):
            errors.append(before[0])
            continue
        op, relative = node.op, _gamma(node.op.terms)
        sizes = [boxes[i].magnitude + e for i, e in zip(node.inputs, before, strict=True)]
        summed = op.spread(*sizes) * relative
        rough = op.rough if op.rough is not None else None if op.shift is None else op.shift.abs()
        passed = op.spread(*before)
        errors.append(passed + summed if rough is None else passed + summed + rough * relative)
    return errors[-1]


def _gamma(terms: int) -> float:
    """Relative error of a sum of so many products; two more for the weights that were folded into one."""
    k = (terms + 2) * _UNIT
    return k / (1 - k)
