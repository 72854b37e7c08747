"""Networks whose gradients are masked on purpose, each in one way, around a network that is not."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn


class Around(nn.Module):
    """A network around another."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Saturated(Around):
    """Logits so large that the softmax is 0 or 1."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * 1_000


class LowTemperature(Around):
    """Probabilities at temperature 1e-4."""

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) / 1e-4).softmax(1)


class QuantisedOutput(Around):
    """Logits rounded to quarters."""

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) * 4).round() / 4


class Noisy(Around):
    """Noise on the input, afresh for each answer."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x + 0.1 * torch.randn_like(x))


class BitDepth(Around):
    """Inputs rounded to 16 levels, as pictures with few colours."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x * 16).round() / 16)


class OutsideAutograd(Around):
    """A preprocessing step that runs outside autograd, as a JPEG codec would."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.from_numpy((x.detach().numpy() * 255).round() / 255).float())


class Dead(Around):
    """A path that autograd cannot follow, and one of zeros that it can."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.detach()) + 0 * x.flatten(1).sum(1, keepdim=True)


class BatchDependent(Around):
    """Centres its answers over the batch, as batch normalisation in training mode does."""

    def forward(self, x: Tensor) -> Tensor:
        scores = self.net(x)
        return scores - 0.2 * scores.mean(0)


class Shattered(Around):
    """A ripple on every input whose slope outweighs the signal's twentyfold, and whose height does not."""

    def __init__(self, net: nn.Module, height: float = 0.01) -> None:
        super().__init__(net)
        self.height = height

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x + self.height * torch.sin(20 / self.height * x))


class Jpeg(Around):
    """A JPEG codec (Pillow) before the network, picture by picture."""

    quality = 95

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.stack([self._squeeze(picture) for picture in x.detach().cpu()]).to(x.device))

    def _squeeze(self, picture: Tensor) -> Tensor:
        pixels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
            stream, "JPEG", quality=self.quality
        )
        decoded = np.array(Image.open(stream), np.float32).reshape(pixels.shape)
        return torch.from_numpy(decoded / 255).permute(2, 0, 1)


class WithoutGradient(Around):
    """Eight-bit preprocessing under ``no_grad``, with whole numbers in another order on the way."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            pixels = (x * 255).byte().permute(0, 2, 3, 1)
            x = pixels.permute(0, 3, 1, 2).float() / 255
        return self.net(x)


class Bucketed(Around):
    """Inputs replaced by the nearest of 17 levels, looked up in a table."""

    def forward(self, x: Tensor) -> Tensor:
        levels = torch.linspace(0, 1, 17)
        return self.net(levels[torch.bucketize(x, levels - 1 / 32) - 1])


class Thresholded(Around):
    """Black and white."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x > 0.5).float())


class ZeroBackward(Around):
    """A function of its own whose derivative is declared to be zero."""

    class Steps(torch.autograd.Function):
        """Rounds to sixteenths."""

        @staticmethod
        def forward(ctx, x):
            return (x * 16).round() / 16

        @staticmethod
        def backward(ctx, grad):
            return torch.zeros_like(grad)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.Steps.apply(x))


class Rooted(Around):
    """A square root, taken back at once: its slope at 0 is infinite, 0 times infinity is NaN."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.clamp(0, 1).sqrt() ** 2)


class Ramp(Around):
    """A learnt ramp on every input, level below 0.4 and above 0.6: no slope where most inputs lie."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__(net)
        self.begin, self.length = nn.Parameter(torch.tensor(0.4)), nn.Parameter(torch.tensor(0.2))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(((x - self.begin) / self.length).clamp(0, 1))
