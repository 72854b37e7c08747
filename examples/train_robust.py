"""Trains a small network on adversarial examples (PGD-AT, Madry et al. 2018) and saves its weights.

    python examples/train_robust.py mnist.npz --out mnist_robust.safetensors --eps 0.3
    gambeson audit mnist_robust.safetensors --factory examples/train_robust.py:mnist --data mnist.npz --eps 0.3

The attack while training is PGD with a random start. Data is anything Gambeson opens that has pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import gambeson as gb

WIDTH = {1: 16, 3: 32}


def network(channels: int, size: int) -> nn.Module:
    """Four layers: (n, channels, size, size) pixels in [0, 1] to (n, 10) logits."""
    width = WIDTH[channels]
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * (size // 4) ** 2, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def mnist() -> nn.Module:
    """The untrained network for 1 x 28 x 28 pictures."""
    return network(1, 28)


def cifar10() -> nn.Module:
    """The untrained network for 3 x 32 x 32 pictures."""
    return network(3, 32)


def perturb(model: nn.Module, x: torch.Tensor, y: torch.Tensor, eps: float, steps: int) -> torch.Tensor:
    """PGD under linf from a random start, steps of 2.5 eps / steps."""
    delta = torch.empty_like(x).uniform_(-eps, eps)
    for _ in range(steps):
        delta.requires_grad_(True)
        loss = F.cross_entropy(model((x + delta).clamp(0, 1)), y, reduction="sum")
        grad = torch.autograd.grad(loss, delta)[0]
        delta = (delta.detach() + 2.5 * eps / steps * grad.sign()).clamp(-eps, eps)
    return (x + delta).clamp(0, 1)


def train(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    eps: float,
    steps: int,
    epochs: int,
    batch: int = 128,
) -> nn.Module:
    """Adam with a one-cycle learning rate; eps grows over the first third of the run."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    rounds = epochs * -(-len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=rounds)
    done = 0
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            radius = eps * min(1.0, 3 * (done + 1) / rounds)
            hard = perturb(model, x[rows], y[rows], radius, steps)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(hard), y[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
        print(
            f"epoch {epoch + 1} of {epochs}: loss on adversarial examples {float(loss.detach()):.3f}",
            flush=True,
        )
    return model.eval()


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--eps", type=float, required=True)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    parser.add_argument("--test-fraction", default=None, help="for data without splits of its own")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    own = () if given.test_fraction is None else (("test_fraction", given.test_fraction),)
    split = gb.open_dataset(given.data, options=gb.DataOptions.from_pairs(own)).split("train")
    x, y = (torch.from_numpy(a) for a in split.take(np.arange(min(given.rows or len(split), len(split)))))
    model = train(network(*x.shape[1:3]), x, y, eps=given.eps, steps=given.steps, epochs=given.epochs)
    save_file(model.state_dict(), given.out)
    print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
