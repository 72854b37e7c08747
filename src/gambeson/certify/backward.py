"""Linear bounds, carried back from a node to the input (CROWN), with slopes that may be optimised.

Source: Zhang et al. 2018, Efficient neural network robustness certification with general activation functions,
arXiv:1811.00866, section 3; Xu et al. 2021, Fast and complete (alpha-CROWN), arXiv:2011.13824, section 3.1, for
slopes chosen by gradient ascent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.certify.intervals import Box
from gambeson.certify.network import Affine, Network
from gambeson.certify.region import Region

Slopes = Mapping[int, Tensor]
"""Lower slope of each rectifier by the number of its node: (n, rows, *shape), in [0, 1]."""


@dataclass(slots=True)
class _Carried:
    """A lower bound Σ a_i · x_i + constant, on its way back.

    Attributes:
        at: (n, rows, *shape) coefficients by node.
        constant: (n, rows).
    """

    at: dict[int, Tensor]
    constant: Tensor

    def add(self, number: int, a: Tensor) -> None:
        """More coefficients of one node."""
        self.at[number] = self.at[number] + a if number in self.at else a


def lower_bound(
    network: Network, node: int, a: Tensor, boxes: list[Box], region: Region, slopes: Slopes | None = None
) -> Tensor:
    """Lower bound of a · (value of a node) over the region.

    Args:
        network: The network.
        node: Number of the node.
        a: (n, rows, *shape of the node) coefficients, or (1, rows, ...) for the same ones in every sample.
        boxes: Bounds of the nodes before it.
        region: The inputs.
        slopes: Lower slopes of the rectifiers; the adaptive ones where not given.

    Returns:
        (n, rows).
    """
    carried = _Carried({node: a}, torch.zeros(a.shape[:2], dtype=a.dtype))
    for number in range(node, 0, -1):
        if number in carried.at:
            _through(network, number, carried, boxes, None if slopes is None else slopes.get(number))
    return carried.constant + region.least(carried.at[0]) if 0 in carried.at else carried.constant


def interval_bound(network: Network, node: int, a: Tensor, boxes: list[Box], region: Region) -> Tensor:
    """The same from intervals alone: back through affine nodes only, to rectifiers or the input before them."""
    carried = _Carried({node: a}, torch.zeros(a.shape[:2], dtype=a.dtype))
    for number in range(node, -1, -1):
        if number not in carried.at:
            continue
        if isinstance(network.nodes[number].op, Affine):
            _through(network, number, carried, boxes, None)
            continue
        if number == 0:
            carried.constant = carried.constant + region.least(carried.at.pop(0))
            continue
        flat, box = carried.at.pop(number).flatten(2), boxes[number]
        low, high = (v.flatten(1)[:, None] for v in (box.low, box.high))
        carried.constant = carried.constant + (flat.clamp_min(0) * low + flat.clamp_max(0) * high).sum(2)
    return carried.constant


def _through(
    network: Network, number: int, carried: _Carried, boxes: list[Box], slope: Tensor | None
) -> None:
    """Replace the coefficients of one node by coefficients of its inputs."""
    node, a = network.nodes[number], carried.at.pop(number)
    if isinstance(node.op, Affine):
        n, rows = a.shape[:2]
        if node.op.shift is not None:
            carried.constant = carried.constant + a.flatten(2) @ node.op.shift.flatten()
        for part, source in zip(node.op.maps, node.inputs, strict=True):
            shape = network.nodes[source].shape
            back = part.transpose(a.reshape(n * rows, *node.shape), shape)
            carried.add(source, back.reshape(n, rows, *shape))
        return
    source = node.inputs[0]
    lower, upper, offset = relax(boxes[source])
    low = (
        lower[:, None]
        if slope is None
        else torch.where(boxes[source].unstable[:, None], slope, lower[:, None])
    )
    plus, minus = a.clamp_min(0), a.clamp_max(0)
    carried.constant = carried.constant + (minus.flatten(2) @ offset.flatten(1)[:, :, None]).squeeze(2)
    carried.add(source, plus * low + minus * upper[:, None])


def relax(box: Box) -> tuple[Tensor, Tensor, Tensor]:
    """Lines around max(x, 0) for x between the bounds.

    Returns:
        Slope of the line below, through 0; slope and offset of the line above. Where the sign of x is known all
        is exact. The line below is y = x where the positive part of the interval is the longer one, else y = 0,
        whichever leaves less room.
    """
    low, high = box.low, box.high
    unstable = box.unstable
    width = torch.where(unstable, high - low, 1.0)
    on = (low >= 0).to(low.dtype)
    upper = torch.where(unstable, high / width, on)
    offset = torch.where(unstable, -high * low / width, 0.0)
    lower = torch.where(unstable, (high > -low).to(low.dtype), on)
    return lower, upper, offset
