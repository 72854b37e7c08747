"""Trains a small, undefended digit classifier and saves it in the two formats Gambeson reads from PyTorch.

Run it, then audit what it saved; weights with their factory can also be trained anew, for membership inference:

    python examples/train_digits.py --out demo
    gambeson audit demo/digits.pt2 --data builtin:digits --eps 0.1
    gambeson audit demo/digits.safetensors --factory examples/train_digits.py:build --data builtin:digits --eps 0.1
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

EPOCHS = 30
BATCH = 64


def build() -> nn.Module:
    """The untrained network: (n, 1, 8, 8) pixels in [0, 1] to (n, 10) logits."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, stride=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def train(x: torch.Tensor, y: torch.Tensor, *, seed: int, epochs: int = EPOCHS) -> nn.Module:
    """Minimise the cross-entropy with Adam and a cosine schedule; one seed gives one network."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the order of a sum, and so the weights, would depend on the number of threads
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Fraction of rows whose largest logit is the label."""
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def save(model: nn.Module, folder: Path) -> None:
    """Write ``digits.pt2`` (graph and weights) and ``digits.safetensors`` (weights alone)."""
    folder.mkdir(parents=True, exist_ok=True)
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (torch.zeros(2, 1, 8, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, folder / "digits.pt2")
    save_file(model.state_dict(), folder / "digits.safetensors")


def load_split(data: gb.Dataset, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """All rows of a split as tensors."""
    split = data.split(name)
    x, y = split.take(np.arange(len(split)))
    return torch.from_numpy(x), torch.from_numpy(y)


def main() -> None:
    """Train, report the accuracy on the test split, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the model (default: demo)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    args = parser.parse_args()
    data = gb.open_dataset("builtin:digits")
    model = train(*load_split(data, "train"), seed=args.seed, epochs=args.epochs)
    save(model, args.out)
    print(f"Trained on builtin:digits: test accuracy {accuracy(model, *load_split(data, 'test')):.3f}")
    print(f"Saved {args.out / 'digits.pt2'} and {args.out / 'digits.safetensors'}")


if __name__ == "__main__":
    main()
