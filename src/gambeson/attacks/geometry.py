"""The perturbation set around each sample: valid inputs within eps, and how to move inside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.projections import PROJECTIONS
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.tables import TableRules
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema

_SURE = 1 + 2.0**-20
"""Factor on a norm in float32 that makes up for its rounding."""
_ROUNDING = 2.0**-22
"""Room that float32 rounding of ``x + delta`` gets in the validity test, relative to ``|x|``."""


@dataclass(frozen=True, slots=True)
class PerturbationSet:
    """What an attacker may change, the same for every sample.

    Attributes:
        norm: Norm of the perturbation, measured in units of ``scale``.
        eps: Radius.
        low, high: Bounds of the input, each of the sample's shape.
        scale: Size of one unit of perturbation in input units, of the sample's shape (1 unless eps is a
            fraction of each feature's range).
        frozen: True where a perturbation changes nothing.
        integer: True where only whole numbers are valid.
        rules: Relations and categories of a table, or ``None``.
        plain: Whether ``scale`` is 1 everywhere, and nothing is frozen, whole or ruled: as in a picture.
        range: Lowest and highest value, where they are the same for every feature; else ``None``.
    """

    norm: Norm
    eps: float
    low: Tensor
    high: Tensor
    scale: Tensor
    frozen: Tensor
    integer: Tensor
    rules: TableRules | None = None
    plain: bool = False
    range: tuple[float, float] | None = None

    @classmethod
    def of(cls, threat: ThreatModel, schema: Schema) -> PerturbationSet:
        """The set that a threat model declares on a kind of data.

        Raises:
            UsageError: A frozen feature is unknown, or eps is larger than the whole input range.
        """
        low, high = (torch.from_numpy(bound) for bound in schema.bounds())
        width = high - low
        scale = torch.where(width > 0, width, 1.0) if threat.unit == "range" else torch.ones_like(low)
        largest = float(_norm((width / scale).double().reshape(1, -1), threat.norm))
        if threat.eps > largest * (1 + 1e-6):
            pixels = "were you thinking of 0-255 pixels? Write it as a fraction: --eps 8/255"
            raise UsageError(
                f"eps={threat.eps:g} is larger than the whole input range ({largest:g}).",
                expected=f"a radius of at most {largest:g} under {threat.norm}",
                remedy=pixels if threat.norm is Norm.LINF else "",
            )
        frozen = torch.from_numpy(schema.frozen_mask(threat.frozen))
        integer = torch.from_numpy(schema.integer_mask())
        rules = TableRules.of(threat, schema)
        frozen = frozen if rules is None else ~rules.linear.movable
        plain = rules is None and not bool((frozen | integer | (scale != 1)).any())
        same = bool((low == low.reshape(-1)[0]).all() and (high == high.reshape(-1)[0]).all())
        ends = (float(low.reshape(-1)[0]), float(high.reshape(-1)[0])) if same else None
        return cls(threat.norm, threat.eps, low, high, scale, frozen, integer, rules, plain, ends)

    def measure(self, delta: Tensor) -> Tensor:
        """Norm of each row of perturbations (n, *shape) in units of ``scale``: (n,)."""
        return _norm(delta.flatten(1), self.norm)

    def with_eps(self, eps: float) -> PerturbationSet:
        """The same set with another radius."""
        return replace(self, eps=eps)

    @property
    def bounded(self) -> bool:
        """False where the radius is infinite: then the nearest adversarial input is what is looked for."""
        return math.isfinite(self.eps)

    def around(self, x: Tensor) -> Ball:
        """The set around each row of ``x`` (n, *shape)."""
        space = self.to(x.device)
        low = torch.where(space.frozen, 0.0, (space.low - x) / space.scale).clamp_max(0)
        high = torch.where(space.frozen, 0.0, (space.high - x) / space.scale).clamp_min(0)
        return Ball(space, x, low, high, space.limit(x))

    def limit(self, x: Tensor) -> Tensor:
        """(n,) float64 largest norm that counts as inside: the radius, and room for rounding ``x + delta``."""
        if self.norm is Norm.L0 or not self.bounded:
            return torch.full((len(x),), self.eps, dtype=torch.float64, device=x.device)
        return self.eps * (1 + 1e-6) + self.measure(x.double().abs() / self.scale.double()) * _ROUNDING

    def to(self, device: torch.device) -> PerturbationSet:
        """The same set with its tensors on ``device``."""
        names = ("low", "high", "scale", "frozen", "integer")
        moved = {name: getattr(self, name).to(device) for name in names}
        return replace(self, rules=None if self.rules is None else self.rules.to(device), **moved)

    def holds(self, x: Tensor) -> bool:
        """Whether every value of ``x`` (n, *shape) is a number within the bounds."""
        if self.range is None:
            return torch.equal(x.clamp(self.low, self.high), x)
        lowest, highest = torch.aminmax(x) if len(x) else self.range
        return bool(lowest >= self.range[0]) and bool(highest <= self.range[1])

    def slope(self, grad: Tensor) -> Tensor:
        """A gradient in input units (n, *shape) as one with respect to what a perturbation moves."""
        if self.plain:
            return grad
        grad = grad if self.rules is None else self.rules.linear.pull(grad)
        return torch.where(self.frozen, 0.0, grad * self.scale)

    def box(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Smallest and largest allowed value around each row (n, *shape): bounds, and under linf the radius."""
        if self.norm is not Norm.LINF or not self.bounded:
            return self.low.expand_as(x), self.high.expand_as(x)
        reach = self.eps * self.scale
        return torch.maximum(self.low, x - reach), torch.minimum(self.high, x + reach)


@dataclass(frozen=True, slots=True)
class Ball:
    """The perturbation sets around n samples. A perturbation ``delta`` is in units of ``space.scale``.

    Attributes:
        space: What is common to all samples.
        x: (n, *shape) the samples.
        low, high: (n, *shape) bounds of delta that keep the input valid; 0 where it is frozen.
        limit: (n,) float64 largest norm that counts as inside.
    """

    space: PerturbationSet
    x: Tensor
    low: Tensor
    high: Tensor
    limit: Tensor

    def select(self, keep: Tensor) -> Ball:
        """The balls around the samples ``keep``."""
        return Ball(self.space, self.x[keep], self.low[keep], self.high[keep], self.limit[keep])

    def apply(self, delta: Tensor, of: Tensor | None = None, codes: Tensor | None = None) -> Tensor:
        """The input that a perturbation makes: whole numbers stay whole, moving towards the sample.

        Args:
            delta: (m, *shape) perturbations, one per sample unless ``of`` is given.
            of: (m,) the sample that each belongs to.
            codes: (m, c) categories of the features in ``space.rules.choices``; the samples' own where not given.
        """
        x = self.x if of is None else self.x[of]
        if self.space.plain:
            return (x + delta).clamp_(*(self.space.range or (self.space.low, self.space.high)))
        change = delta * self.space.scale
        if bool(self.space.integer.any()):
            change = torch.where(self.space.integer, change.trunc(), change)
        rules = self.space.rules
        if rules is not None and codes is not None:
            x = rules.write(x, codes)
        moved = (x + change).clamp(self.space.low, self.space.high)
        return moved if rules is None else self._repair(rules, x, moved)

    def _repair(self, rules: TableRules, x: Tensor, moved: Tensor) -> Tensor:
        """``moved`` as a row that keeps its relations; computed columns count in the norm like all others."""
        space, linear, box = self.space, rules.linear, self.space.box(x)
        kept = linear.repair(x, moved, *box)
        if space.norm is Norm.LINF or not space.bounded or not len(linear.pivots):
            return kept
        for _ in range(1 + len(linear.pivots)):
            size = space.measure((kept - x) * rules.measured / space.scale)
            over = size > space.eps * (1 + 1e-6)
            if not bool(over.any()):
                return kept
            shorter = linear.repair(x, self._shortened(rules, x, kept, size), *box)
            kept = torch.where(over[:, None], shorter, kept)
        over = space.measure((kept - x) * rules.measured / space.scale) > space.eps * (1 + 1e-6)
        return torch.where(over[:, None] & linear.tied, x, kept)

    def _shortened(self, rules: TableRules, x: Tensor, moved: Tensor, size: Tensor) -> Tensor:
        """Rows nearer to ``x``: scaled to the radius; under l0 without the smallest change that was moved."""
        change = moved - x
        if self.space.norm is not Norm.L0:
            return x + rules.linear.whole(change * _column((self.space.eps / size).clamp_max(1), x))
        cost = torch.where(rules.linear.movable & (change != 0), change.abs() / self.space.scale, torch.inf)
        return moved.scatter(1, cost.argmin(1, keepdim=True), x.gather(1, cost.argmin(1, keepdim=True)))

    def inside(self, delta: Tensor) -> Tensor:
        """``delta`` cut to the bounds of the input, whatever its norm.

        Args:
            delta: (n, *shape), or (n, k, *shape) for k perturbations of each sample.
        """
        several = delta.dim() > self.x.dim()
        low, high = (b[:, None] if several else b for b in (self.low, self.high))
        return delta.clamp(low, high)

    def ends(self) -> tuple[Tensor, Tensor]:
        """Lowest and highest perturbation of each value that its bounds and the norm by itself allow."""
        eps = self.space.eps
        if not self.space.bounded or self.space.norm is Norm.L0:
            return self.low, self.high
        return self.low.clamp_min(-eps), self.high.clamp_max(eps)

    def project(self, delta: Tensor) -> Tensor:
        """The valid perturbation nearest to ``delta`` (Euclidean, in units of ``scale``)."""
        project = PROJECTIONS[self.space.norm]
        flat = project(delta.flatten(1), self.space.eps, self.low.flatten(1), self.high.flatten(1))
        return flat.reshape(delta.shape)

    def size(self, x: Tensor) -> Tensor:
        """Norm of ``x`` minus the sample, in units of ``scale``, computed in float64: (n,)."""
        difference = (x.double() - self.x.double()) / self.space.scale.double()
        if self.space.rules is not None:
            difference = difference * self.space.rules.measured
        return self.space.measure(difference)

    def reach(self, x: Tensor) -> Tensor:
        """``size`` of each valid member of its ball, up to float32 rounding; infinite for all others: (n,).

        NaN is never a member. Independent of ``apply`` and ``project``.
        """
        space, size = self.space, self.size(x)
        valid = ((x >= space.low) & (x <= space.high)).flatten(1).all(1) & (size <= self.limit)
        if space.rules is not None:
            valid &= space.rules.hold(self.x, x)
        elif bool(space.frozen.any()):
            valid &= ((x == self.x) | ~space.frozen).flatten(1).all(1)
        if bool(space.integer.any()):
            valid &= ((x == x.round()) | ~space.integer).flatten(1).all(1)
        return torch.where(valid, size, torch.inf)

    def contains(self, x: Tensor) -> Tensor:
        """Whether each input is a valid member of its ball, up to float32 rounding: (n,) bool."""
        if self.space.plain and self.space.holds(x):
            if self.space.bounded:
                sure = self.space.measure(x - self.x) * _SURE <= self.limit
            else:
                sure = x.sum().isfinite().expand(len(x))
            if bool(sure.all()):
                return sure
        return self.reach(x).isfinite()

    def random(self, rng: SampleRandom, step: int) -> Tensor:
        """A random valid perturbation.

        Uniform in the cube for linf, a random direction and radius for l2 and l1, random features at random
        ends of their range for l0.
        """
        shape, eps = self.x.shape[1:], self.space.eps
        if self.space.norm is Norm.LINF:
            return self.project((2 * rng.uniform(step, *shape) - 1) * eps)
        if self.space.norm is Norm.L0:
            ends = torch.where(rng.uniform(step, *shape, stream=1) < 0.5, self.low, self.high)
            chosen = rng.uniform(step, *shape).flatten(1).argsort(1)[:, : int(eps)]
            mask = torch.zeros_like(ends.flatten(1)).scatter(1, chosen, 1.0)
            return mask.reshape(ends.shape) * ends
        if self.space.norm is Norm.L2:
            direction = rng.normal(step, *shape)
        else:
            direction = rng.signs(step, *shape, stream=1) * -torch.log1p(-rng.uniform(step, *shape))
        length = _norm(direction.flatten(1), self.space.norm).clamp_min(1e-12)
        radius = eps * rng.uniform(step, 1, stream=3)[:, 0] / length
        return self.project(direction * _column(radius, direction))

    def ascent(self, delta: Tensor, grad: Tensor, sparsity: float = 0.05) -> Tensor:
        """Direction of steepest ascent with norm 1, for a gradient in input units.

        Args:
            delta: Where we stand.
            grad: (n, *shape) gradient of the loss with respect to the input.
            sparsity: Fraction of the features that one l1 step moves.

        Returns:
            linf: the sign. l2: the normalised gradient. l1: the signs of the largest entries, without those
            that push against the box (SLIDE, Tramer & Boneh 2019, arXiv:1904.13000, section 4). l0: the
            gradient scaled so that its largest entry crosses the widest feature.
        """
        grad = self.space.slope(grad)
        flat, norm = grad.flatten(1), self.space.norm
        if norm is Norm.LINF:
            return grad.sign()
        if norm is Norm.L2:
            return grad / _column(flat.norm(dim=1).clamp_min(1e-12), grad)
        if norm is Norm.L0:
            width = (self.high - self.low).flatten(1).amax(1)
            return grad * _column(width / flat.abs().amax(1).clamp_min(1e-12) / self.space.eps, grad)
        stuck = ((delta >= self.high) & (grad > 0)) | ((delta <= self.low) & (grad < 0))
        flat = torch.where(stuck, 0.0, grad).flatten(1)
        k = max(1, int(sparsity * flat.shape[1]))
        largest = flat.abs().topk(k, dim=1).indices
        signs = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign())
        return (signs / signs.abs().sum(1, keepdim=True).clamp_min(1)).reshape(grad.shape)


def _norm(flat: Tensor, norm: Norm) -> Tensor:
    if norm is Norm.LINF:
        return flat.abs().amax(1)  # vector_norm takes seventeen times as long
    order = {Norm.L2: 2, Norm.L1: 1, Norm.L0: 0}[norm]
    size: Tensor = torch.linalg.vector_norm(flat, order, dim=1)
    return size


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like.dtype).reshape(-1, *[1] * (like.dim() - 1))
