"""A small network on the digits, as a user would give it."""

from __future__ import annotations

import pytest

NET = """
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

def build_sick():
    class Sick(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = build()
        def forward(self, x):
            return self.net(x) * float("nan")
    return Sick()
"""


@pytest.fixture(scope="session")
def digits_net(tmp_path_factory):
    """Folder with net.py and weights trained for a moment."""
    import numpy as np
    import torch
    from safetensors.torch import save_file

    import gambeson as gb

    folder = tmp_path_factory.mktemp("net")
    (folder / "net.py").write_text(NET)
    space: dict = {}
    exec(NET, space)
    net = space["build"]()
    split = gb.open_dataset("builtin:digits").split("train")
    x, y = (torch.from_numpy(a) for a in split.take(np.arange(len(split))))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    save_file(net.state_dict(), folder / "net.safetensors")
    return folder
