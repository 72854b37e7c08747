from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gambeson.attacks.harness import Samples
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.service import attack_pictures
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_pictures import check_pictures, export_pictures, from_levels, to_levels

SCHEMA = Schema((3, 2, 2), ("dark", "light"))
COMMAND = AttackCommand(("pgd",), "m", "d", threat=ThreatModel(Norm.LINF, 0.1))


class Threshold:
    """Says light where the first value lies above 0.503."""

    device = "cpu"

    def scores(self, x):
        first = x.reshape(len(x), -1)[:, 0] - 0.503
        return torch.stack([-first, first], 1)


def found(*adversarial):
    """Dark samples with the first value 0.45, and the first value of what was found for each; ``None``: stands."""
    n = len(adversarial)
    x = np.full((n, 3, 2, 2), 0.45, np.float32)
    made = x.copy()
    for row, value in zip(made, adversarial, strict=True):
        row[0, 0, 0] = 0.45 if value is None else value
    samples = Samples(torch.from_numpy(x), torch.zeros(n, dtype=torch.int64), np.arange(n) * 10)
    outcome = SimpleNamespace(fallen=np.array([v is not None for v in adversarial]), adversarial=made)
    return SimpleNamespace(samples=samples, attacked=np.arange(n), outcome=outcome)


def test_where_there_can_be_no_pictures_that_is_said_at_once(monkeypatch):
    with pytest.raises(UsageError, match=r"--png needs images; rows of d have the shape \(4,\)"):
        check_pictures(SimpleNamespace(name="d", schema=Schema((4,), ("a", "b"))))
    monkeypatch.setattr(attack_pictures, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="PIL"):
        check_pictures(SimpleNamespace(name="d", schema=SCHEMA))


def test_what_fell_is_written_under_its_row_number(tmp_path):
    made = export_pictures(tmp_path, found(0.54, None, 0.54), Threshold(), SCHEMA, COMMAND)
    assert [picture.row for picture in made] == [0, 20]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        f"{row:06}-{kind}.png" for row in (0, 20) for kind in ("original", "perturbation", "adversarial")
    }
    pixels = np.asarray(Image.open(tmp_path / "000020-adversarial.png"))
    assert pixels.shape == (2, 2, 3)
    assert pixels[0, 0, 0] == round(0.54 * 255)


def test_rounding_that_undoes_an_attack_is_said(tmp_path):
    # 0.5036 lies above the line at 0.503, but is 128.4 levels, and 128 of 255 are 0.502.
    kept, undone = export_pictures(tmp_path, found(0.54, 0.5036), Threshold(), SCHEMA, COMMAND)
    assert (kept.after, kept.as_png, kept.still_fools) == ("light", "light", True)
    assert (undone.after, undone.as_png, undone.still_fools) == ("light", "dark", False)


def test_a_perturbation_that_rounding_enlarged_is_said(tmp_path):
    # 137.6 levels become 138, which is farther from 0.45; 138.03 become 138, which is nearer.
    grown, shrunk = export_pictures(tmp_path, found(137.6 / 255, 138.03 / 255), Threshold(), SCHEMA, COMMAND)
    assert not grown.no_larger
    assert shrunk.no_larger


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_levels_and_values_are_each_other_s_inverse(bounds):
    schema = replace(SCHEMA, low=bounds[0], high=bounds[1])
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_levels(from_levels(levels, schema), schema), levels)
    assert from_levels(levels, schema)[[0, -1]].tolist() == list(bounds)


def test_nothing_fell_and_nothing_is_written(tmp_path):
    assert export_pictures(tmp_path / "new", found(None), Threshold(), SCHEMA, COMMAND) == ()
    assert not (tmp_path / "new").exists()
