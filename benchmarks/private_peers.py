"""Opacus' step in each of its modes, for the benchmark of private training; nothing where it is not installed."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import torch
from torch import nn


def opacus_steps(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, Callable[[], None]]:
    """One private step by mode."""
    try:
        import opacus  # noqa: F401
    except ImportError:
        return {}
    modes = ("hooks", "functorch", "ew", "ghost")
    return {f"Opacus, {mode}": _step(copy.deepcopy(module), x, y, mode) for mode in modes}


def _step(module: nn.Module, x: torch.Tensor, y: torch.Tensor, mode: str) -> Callable[[], None]:
    from opacus import PrivacyEngine

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=len(x))
    options = {
        "noise_multiplier": 1.0,
        "max_grad_norm": 1.0,
        "poisson_sampling": False,
        "grad_sample_mode": mode,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = PrivacyEngine().make_private(
            module=module.train(),
            optimizer=torch.optim.SGD(module.parameters(), 1e-3),
            data_loader=data,
            criterion=nn.CrossEntropyLoss(),
            **options,
        )
    network, optimizer = made[0], made[1]
    criterion = made[2] if mode == "ghost" else nn.CrossEntropyLoss()

    def step() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer.zero_grad()
            criterion(network(x), y).backward()
            optimizer.step()

    return step
