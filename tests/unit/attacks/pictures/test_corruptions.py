"""Corruptions: known effects, bounds, growth with severity, the same whatever the batch."""

from __future__ import annotations

import pytest
import torch
from scipy import ndimage

from gambeson.attacks.pictures.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from gambeson.attacks.randomness import SampleRandom

KINDS = {kind.name: kind for kind in CORRUPTIONS}
EVERY_KIND = pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.name)


def picture(n=6, channels=3, side=32):
    coarse = torch.rand(n, channels, 8, 8, generator=torch.Generator().manual_seed(2))
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return (0.2 + 0.5 * smooth).contiguous()


def apply(name, severity, x, bounds=(0.0, 1.0)):
    return corrupt(KINDS[name], severity, x, SampleRandom(torch.arange(len(x))), bounds)


@EVERY_KIND
def test_it_grows_with_severity_within_the_bounds(kind):
    x = picture()
    changes = [(apply(kind.name, severity, x) - x).abs().mean().item() for severity in SEVERITIES]
    assert changes == sorted(changes)
    assert changes[0] > 0
    strongest = apply(kind.name, 5, x)
    assert strongest.shape == x.shape
    assert strongest.dtype == torch.float32
    assert float(strongest.min()) >= 0
    assert float(strongest.max()) <= 1


@EVERY_KIND
def test_a_picture_is_corrupted_alike_in_any_company(kind):
    x = picture()
    alone = corrupt(kind, 3, x[4:5], SampleRandom(torch.tensor([4])), (0.0, 1.0))
    torch.testing.assert_close(apply(kind.name, 3, x)[4:5], alone, rtol=0, atol=1e-6)


@EVERY_KIND
def test_the_input_range_does_not_matter(kind):
    x = picture()
    scaled = apply(kind.name, 3, 4 * x - 1, bounds=(-1.0, 3.0))
    torch.testing.assert_close((scaled + 1) / 4, apply(kind.name, 3, x), rtol=0, atol=5e-3)


@EVERY_KIND
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (2, 3, 20, 14)])
def test_small_and_oblong_pictures_are_welcome(kind, shape):
    x = torch.full(shape, 0.5)
    for severity in SEVERITIES:
        assert corrupt(kind, severity, x, SampleRandom(torch.arange(2)), (0.0, 1.0)).isfinite().all()


def test_gaussian_noise_has_its_sigma():
    change = apply("gaussian noise", 3, torch.full((8, 3, 32, 32), 0.5)) - 0.5
    assert float(change.std()) == pytest.approx(0.08, rel=0.03)
    assert float(change.mean()) == pytest.approx(0, abs=0.003)


def test_shot_noise_is_that_of_counted_photons():
    change = apply("shot noise", 2, torch.full((8, 3, 32, 32), 0.5)) - 0.5
    assert float(change.std()) == pytest.approx((0.5 / 200) ** 0.5, rel=0.03)


def test_impulse_noise_hits_its_share_with_black_and_white():
    hit = apply("impulse noise", 4, torch.full((8, 3, 32, 32), 0.5))
    assert float((hit != 0.5).float().mean()) == pytest.approx(0.06, abs=0.006)
    assert set(hit.unique().tolist()) == {0.0, 0.5, 1.0}


def test_gaussian_blur_is_the_one_of_scipy():
    x = picture(1, 1)
    expected = ndimage.gaussian_filter(x[0, 0].numpy(), 1.0, mode="nearest", truncate=3.0)
    torch.testing.assert_close(
        apply("gaussian blur", 4, x)[0, 0], torch.from_numpy(expected), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", ["gaussian blur", "defocus blur", "motion blur", "pixelate", "contrast"])
def test_what_only_spreads_light_keeps_a_grey_picture_grey(name):
    grey = torch.full((2, 3, 32, 32), 0.4)
    torch.testing.assert_close(apply(name, 5, grey), grey, rtol=0, atol=1e-5)


def test_contrast_keeps_the_mean_and_brightness_raises_it():
    x = picture()
    torch.testing.assert_close(apply("contrast", 5, x).mean(), x.mean(), rtol=0, atol=1e-5)
    torch.testing.assert_close(apply("brightness", 2, x), x + 0.1, rtol=0, atol=1e-5)


def test_pixelate_leaves_as_many_colours_as_pixels():
    x = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert len(apply("pixelate", 5, x).unique()) <= round(0.45 * 32) ** 2


def test_fog_brightens_and_lowers_contrast():
    x = picture()
    foggy = apply("fog", 3, x)
    assert float(foggy.mean()) > float(x.mean())
    assert float(foggy.flatten(1).std(1).mean()) < float(x.flatten(1).std(1).mean())


def test_there_are_five_strengths_for_each_of_eleven_kinds():
    assert len(KINDS) == 11
    assert all(len(kind.strengths) == len(SEVERITIES) for kind in CORRUPTIONS)
