"""Proves on a few rows that a network is clipped row by row as it is believed to be, before it is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.defenses.private.clipping import Losses, clipped_sums

_TOLERANCE = 1e-4
"""Of a gradient, relative to the largest of all: far above rounding, far below a term that is missing."""
_INFINITE = float("inf")


def require_exact(module: nn.Module, losses: Losses, x: Tensor, y: Tensor) -> None:
    """Compare sums without clipping with torch's own gradients, and the first row alone with itself among others.

    A weight that is used outside its layer, as in ``F.linear(x, self.embedding.weight)``, leaves no trace in hooks:
    its gradient would reach the weights unclipped. A layer that mixes rows would let one row hide behind others.

    Args:
        module: Left in training mode.
        losses: Losses of rows; calls the module.
        x: (n, *shape) a few rows.
        y: (n,).

    Raises:
        UsageError: A gradient differs; the parameter is named. Or rows are mixed.
    """
    module.train()
    with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
        torch.manual_seed(0)
        found = clipped_sums(module, losses, x, y, _INFINITE).sums
        torch.manual_seed(0)
        expected = _gradients(module, losses(x, y).sum())
        scale = torch.stack([value.abs().max() for value in expected.values()]).max()
        wrong = [name for name, value in found.items() if _differ(value, expected[name], scale)]
        if wrong:
            raise UsageError(
                f"The gradient of {', '.join(wrong)} does not come from its layer alone: it cannot be clipped by row.",
                expected="weights that are used by the layer that owns them, once",
                remedy="call the layer instead of its weight, or give each use a layer of its own",
            )
        if _is_random(losses, x, y):
            module.eval()
        together = clipped_sums(module, losses, x, y, _INFINITE).norms[:1]
        alone = clipped_sums(module, losses, x[:1], y[:1], _INFINITE).norms
    module.train()
    if _differ(together, alone, alone):
        raise UsageError(
            "The gradient of a row depends on the rows beside it: this network mixes the rows of a batch.",
            expected="layers that treat each row by itself",
        )


def _gradients(module: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    moved = {name: p for name, p in module.named_parameters() if p.requires_grad}
    found: tuple[Tensor | None, ...] = torch.autograd.grad(loss, list(moved.values()), allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g
        for (name, p), g in zip(moved.items(), found, strict=True)
    }


def _is_random(losses: Losses, x: Tensor, y: Tensor) -> bool:
    """Whether two calls differ, as with dropout."""
    with torch.no_grad():
        return not torch.equal(losses(x, y), losses(x, y))


def _differ(one: Tensor, other: Tensor, scale: Tensor) -> bool:
    return bool((one - other).abs().max() > _TOLERANCE * scale)
