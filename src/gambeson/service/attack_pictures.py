"""Adversarial examples as pictures, and what rounding to 8 bits does to them."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.robustness import Robustness
from gambeson.core.errors import UsageError, missing_extra
from gambeson.core.threat import Norm
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_report import Picture

_LEVELS = 255


def check_pictures(data: Dataset) -> None:
    """Refuse to make pictures where there can be none, before any work is done.

    Raises:
        UsageError: The data are no images.
        Unavailable: Pillow is missing.
    """
    if not data.schema.is_image:
        raise UsageError(
            f"--png needs images; rows of {data.name} have the shape {data.schema.shape}.",
            expected="(channels, height, width) with 1 or 3 channels",
        )
    if find_spec("PIL") is None:
        raise missing_extra("PIL", "data")


def export_pictures(
    folder: Path, found: Robustness, passes: Passes, schema: Schema, command: AttackCommand
) -> tuple[Picture, ...]:
    """Write ``000012-original.png``, ``-perturbation.png`` and ``-adversarial.png`` for every row that fell.

    A PNG of 8 bits a channel holds 256 levels: rounding moves each value by up to half a level and can undo an
    attack, so the model is asked again about what the file holds. The perturbation is centred on grey and stretched
    to full contrast.

    Args:
        folder: Made if need be.
        found: What the attack found.
        passes: The model.
        schema: Of image data.
        command: Its threat says how far a rounded input may be from its original.

    Raises:
        OSError: The folder cannot be written to.
    """
    rows = np.flatnonzero(found.outcome.fallen)
    if not len(rows):
        return ()
    where = found.attacked[rows]
    x, y = found.samples.x.numpy()[where], found.samples.y.numpy()[where]
    adversarial = found.outcome.adversarial[rows]
    rounded = from_levels(to_levels(adversarial, schema), schema)
    before, after, said = (_classes(passes, v) for v in (x, adversarial, rounded))
    no_larger = _no_larger(x, adversarial, rounded, schema, command.threat.norm)
    made = []
    for i, row in enumerate(found.samples.index[found.attacked[rows]]):
        stem = folder / f"{int(row):06}"
        _save(stem.with_name(f"{stem.name}-original.png"), to_levels(x[i], schema))
        _save(stem.with_name(f"{stem.name}-perturbation.png"), _stretched(adversarial[i] - x[i]))
        _save(stem.with_name(f"{stem.name}-adversarial.png"), to_levels(adversarial[i], schema))
        label, clean, hit, png = (schema.classes[int(c)] for c in (y[i], before[i], after[i], said[i]))
        made.append(Picture(int(row), label, clean, hit, png, bool(said[i] != y[i]), bool(no_larger[i])))
    return tuple(made)


def to_levels(x: np.ndarray, schema: Schema) -> np.ndarray:
    """Values between the schema's bounds as whole numbers from 0 to 255."""
    share = (x.astype(np.float64) - schema.low) / (schema.high - schema.low)
    levels: np.ndarray = (share.clip(0, 1) * _LEVELS).round().astype(np.uint8)
    return levels


def from_levels(levels: np.ndarray, schema: Schema) -> np.ndarray:
    """What a model is given that reads such a picture."""
    x: np.ndarray = (schema.low + levels / _LEVELS * (schema.high - schema.low)).astype(np.float32)
    return x


def _no_larger(
    x: np.ndarray, adversarial: np.ndarray, rounded: np.ndarray, schema: Schema, norm: Norm
) -> np.ndarray:
    """Whether rounding left each perturbation no larger than it was, in the attack's norm."""
    before, after = (_sizes(v - x, norm) for v in (adversarial, rounded))
    return np.asarray(after <= before * (1 + 1e-6) + 1e-9 * (schema.high - schema.low))


def _sizes(change: np.ndarray, norm: Norm) -> np.ndarray:
    flat = np.abs(change.reshape(len(change), -1).astype(np.float64))
    match norm:
        case Norm.LINF:
            return np.asarray(flat.max(1))
        case Norm.L2:
            return np.asarray(np.sqrt((flat**2).sum(1)))
        case Norm.L1:
            return np.asarray(flat.sum(1))
    return np.asarray((flat > 0).sum(1), np.float64)


def _classes(passes: Passes, x: np.ndarray) -> np.ndarray:
    import torch

    scores = passes.scores(torch.from_numpy(x).to(passes.device))
    found: np.ndarray = scores.argmax(1).cpu().numpy()
    return found


def _stretched(change: np.ndarray) -> np.ndarray:
    most = max(float(np.abs(change).max()), 1e-12)
    levels: np.ndarray = ((change / most / 2 + 0.5).clip(0, 1) * _LEVELS).round().astype(np.uint8)
    return levels


def _save(path: Path, levels: np.ndarray) -> None:
    """(C, H, W) whole numbers as a PNG."""
    from PIL import Image

    pixels = levels.transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    write_whole(path, stream.getvalue())
