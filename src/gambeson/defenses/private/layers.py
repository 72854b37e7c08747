"""Which layers of a network can be trained privately; what stands in the way, by name; a network without it."""

from __future__ import annotations

import copy
import math
from collections import defaultdict

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from gambeson.core.errors import UsageError
from gambeson.defenses.private.shares import RULES

_GROUPS = 32
"""Most groups that a batch normalisation is replaced by (Wu & He 2018, arXiv:1803.08494, section 4.1)."""


def obstacles(module: nn.Module) -> list[str]:
    """What keeps a network from being trained privately, each with the name of its layer; empty where nothing does."""
    named = dict(module.named_modules())
    found = [f"{name or 'the network'}: {why}" for name, layer in named.items() if (why := _obstacle(layer))]
    return found + _shared(named)


def _obstacle(layer: nn.Module) -> str:
    own = [name for name, parameter in layer.named_parameters(recurse=False) if parameter.requires_grad]
    kind = type(layer).__name__
    if isinstance(layer, _BatchNorm):
        return f"{kind} mixes the rows of a batch"
    if getattr(layer, "track_running_stats", False):
        return f"{kind} keeps running statistics of the rows"
    if isinstance(layer, nn.Embedding) and own and _is_odd(layer):
        return f"{kind} with max_norm, scale_grad_by_freq or sparse depends on other rows"
    if own and type(layer) not in RULES:
        return f"{kind} has weights of its own ({', '.join(own)}) and no rule to clip them by row"
    return ""


def _is_odd(layer: nn.Embedding) -> bool:
    return layer.max_norm is not None or layer.scale_grad_by_freq or layer.sparse


def _shared(named: dict[str, nn.Module]) -> list[str]:
    owners = defaultdict(list)
    for name, layer in named.items():
        for own, parameter in layer.named_parameters(recurse=False):
            if parameter.requires_grad:
                owners[id(parameter)].append(f"{name}.{own}" if name else own)
    return [f"{' and '.join(names)} are one parameter" for names in owners.values() if len(names) > 1]


def require_private(module: nn.Module) -> None:
    """Refuse a network that cannot be trained privately.

    Raises:
        UsageError: It has layers that mix rows, that are used twice, or that no rule is known for.
    """
    found = obstacles(module)
    if found:
        norms = any(isinstance(layer, _BatchNorm) for layer in module.modules())
        raise UsageError(
            f"This network cannot be trained privately as it is: {'; '.join(found)}.",
            expected="weights in " + ", ".join(sorted(kind.__name__ for kind in RULES)) + ", each used once",
            remedy="replace batch by group normalisation with -p private.replace=true" if norms else "",
        )
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise UsageError("This network has no weights to train.")


def without_batch_norm(module: nn.Module) -> nn.Module:
    """A copy of a network with every batch normalisation replaced by group normalisation, scales and offsets kept.

    A channel is then normalised with its neighbours in the same row instead of with itself in other rows: the network
    computes something else, and its weights must be trained anew.
    """
    found = copy.deepcopy(module)
    if isinstance(found, _BatchNorm):
        return _group_norm(found)
    for layer in list(found.modules()):
        for name, child in layer.named_children():
            if isinstance(child, _BatchNorm):
                setattr(layer, name, _group_norm(child))
    return found


def _group_norm(layer: _BatchNorm) -> nn.GroupNorm:
    channels = layer.num_features
    groups = math.gcd(channels, _GROUPS)
    if isinstance(layer, nn.BatchNorm1d):
        groups = 1  # a row may have one value for each channel: of groups of few only signs would be left
    elif groups == channels > 1:
        groups //= 2
    found = nn.GroupNorm(groups, channels, eps=layer.eps, affine=layer.affine)
    if layer.affine:
        found.weight, found.bias = layer.weight, layer.bias
    return found.to(next((p.device for p in layer.parameters()), None)).train(layer.training)
