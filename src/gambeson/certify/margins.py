"""How far the true class is certain to lead: margin bounds by four methods, each dearer and tighter."""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor

from gambeson.certify.backward import interval_bound, lower_bound, relax
from gambeson.certify.intervals import Box, propagate, rounding, step
from gambeson.certify.network import Affine, Network
from gambeson.certify.region import Region
from gambeson.core.threat import Norm

_BYTES = 4 << 20
"""Memory that the coefficients of one pass back may take."""
_SAFETY = 1.01
_STEPS = 15
_RATE = 0.2


class Method(StrEnum):
    """How bounds are computed, cheapest first.

    ``IBP``: intervals, layer by layer. ``CROWN_IBP``: linear bounds back to the input, intervals inside (Zhang et
    al. 2020, arXiv:1906.06316). ``CROWN``: linear bounds for the inside, too. ``ALPHA``: with slopes chosen by
    gradient ascent on the margin.
    """

    IBP = "ibp"
    CROWN_IBP = "crown-ibp"
    CROWN = "crown"
    ALPHA = "alpha-crown"


def margin_bounds(network: Network, region: Region, y: Tensor, method: Method) -> Tensor:
    """Lower bounds of (score of the true class) - (score of each other class) over the region.

    Bounds are computed in float64; what float32 rounding of the model can take away is subtracted, and a
    hundredth more for the rounding of the bounds themselves, which is 2^29 times finer. A dearer method is never
    looser than a cheaper one.

    Args:
        network: The network.
        region: Around n samples.
        y: (n,) true classes.
        method: How.

    Returns:
        (n, classes - 1) float64. All above 0: no input of the region is classified otherwise.
    """
    boxes = propagate(network, region)
    a = _rivals(y, network.nodes[-1].size)
    last = len(network.nodes) - 1
    bound = interval_bound(network, last, a, boxes, region)
    if method is not Method.IBP:
        bound = torch.maximum(bound, lower_bound(network, last, a, boxes, region))
    if method in (Method.CROWN, Method.ALPHA):
        boxes = tightened(network, region)
        bound = torch.maximum(bound, lower_bound(network, last, a, boxes, region))
    if method is Method.ALPHA:
        bound = torch.maximum(bound, _ascended(network, a, boxes, region))
    error = rounding(network, boxes)
    return bound - _SAFETY * (a.abs() @ error[:, :, None]).squeeze(2) - network.slack


def cost(network: Network, method: Method) -> int:
    """About how many multiplications one sample's margins cost."""
    classes, last = network.nodes[-1].size, len(network.nodes) - 1
    passes = {Method.IBP: 2, Method.CROWN_IBP: 2 + classes, Method.CROWN: 4 + 2 * classes}
    total = passes.get(method, 4 + 2 * classes + 3 * _STEPS * classes) * network.products(last)
    if method in (Method.CROWN, Method.ALPHA):
        total += sum(2 * network.nodes[i].size * network.products(i) for i in network.rectified)
    return total


def tightened(network: Network, region: Region) -> list[Box]:
    """Bounds of every node, those before a rectifier by linear bounds wherever its state is open."""
    boxes, known = [Box(region.low, region.high)], _exact(network, region)
    for number, node in enumerate(network.nodes[1:], 1):
        box = step(node, [boxes[i] for i in node.inputs])
        if number in network.rectified and number not in known:
            box = _tighter(network, number, box, boxes, region)
        boxes.append(box)
    return boxes


def _rivals(y: Tensor, classes: int) -> Tensor:
    """(n, classes - 1, classes): 1 for the true class, -1 for each other in turn."""
    eye = torch.eye(classes, dtype=torch.float64)
    others = torch.stack([torch.cat([eye[:c], eye[c + 1 :]]) for c in range(classes)])
    return eye[y][:, None] - others[y]


def _exact(network: Network, region: Region) -> set[int]:
    """Nodes whose intervals no other method could narrow: one layer that mixes values of a box."""
    if region.norm is not Norm.LINF:
        return set()
    box, exact = {0}, {0}
    for number, node in enumerate(network.nodes[1:], 1):
        if isinstance(node.op, Affine) and len(node.inputs) == 1:
            (source,) = node.inputs
            if source in box:
                exact.add(number)
            if node.op.mixes:
                continue
            box |= {number} if source in box else set()
            exact |= {number} if source in exact else set()
    return exact


def _tighter(network: Network, number: int, box: Box, boxes: list[Box], region: Region) -> Box:
    """A node's bounds met with its linear bounds, for the values that are open in any sample."""
    n, size = len(region.x), network.nodes[number].size
    shape = network.nodes[number].shape
    open_ = box.unstable.flatten(1).any(0).nonzero().squeeze(1)
    low, high = box.low.flatten(1).clone(), box.high.flatten(1).clone()
    largest = max(node.size for node in network.nodes[: number + 1])
    rows = max(1, _BYTES // (16 * n * largest))
    for part in torch.split(open_, rows):
        unit = torch.zeros(1, len(part), size, dtype=torch.float64)
        unit[0, torch.arange(len(part)), part] = 1
        # one row for all samples: it travels alone as far as the first rectifier
        a = torch.cat([unit, -unit], 1).reshape(1, 2 * len(part), *shape)
        found = lower_bound(network, number, a, boxes, region)
        low[:, part] = torch.maximum(low[:, part], found[:, : len(part)])
        high[:, part] = torch.minimum(high[:, part], -found[:, len(part) :])
    return Box(low.reshape(box.low.shape), high.reshape(box.high.shape))


def _ascended(network: Network, a: Tensor, boxes: list[Box], region: Region) -> Tensor:
    """The best bound seen while Adam raises it over the slopes of the open rectifiers."""
    numbers = [
        i for i, node in enumerate(network.nodes) if not (node.op is None or isinstance(node.op, Affine))
    ]
    slopes = {}
    for i in numbers:
        start = relax(boxes[network.nodes[i].inputs[0]])[0]
        slopes[i] = start[:, None].repeat(1, a.shape[1], *[1] * (start.dim() - 1)).requires_grad_(True)
    best = torch.full(a.shape[:2], -torch.inf, dtype=torch.float64)
    if not slopes:
        return best
    optimizer = torch.optim.Adam(slopes.values(), lr=_RATE)
    with torch.enable_grad():
        for _ in range(_STEPS):
            found = lower_bound(network, len(network.nodes) - 1, a, boxes, region, slopes)
            best = torch.maximum(best, found.detach())
            optimizer.zero_grad()
            (-found.sum()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            with torch.no_grad():
                for slope in slopes.values():
                    slope.clamp_(0, 1)
    return best
