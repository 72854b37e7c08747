"""Low frequencies of pictures."""

from __future__ import annotations

import torch

from gambeson.attacks.spectrum import Spectrum, cosines

CPU = torch.device("cpu")


def test_the_cosine_basis_is_orthonormal():
    waves = cosines(8)
    torch.testing.assert_close(waves @ waves.T, torch.eye(8), atol=1e-6, rtol=0)


def test_lengths_and_angles_are_those_of_the_coefficients():
    spectrum = Spectrum.of(torch.Size((3, 8, 12)), 0.5, CPU)
    numbers = torch.randn(5, spectrum.size, generator=torch.Generator().manual_seed(0))
    pictures = spectrum.to_picture(numbers).flatten(1)
    torch.testing.assert_close(pictures @ pictures.T, numbers @ numbers.T, atol=1e-4, rtol=1e-5)


def test_a_wave_is_the_picture_of_its_coefficient():
    spectrum = Spectrum.of(torch.Size((2, 6, 8)), 0.5, CPU)
    number = torch.arange(spectrum.size)
    channel, waves = spectrum.waves(number)
    pictures = torch.zeros(len(number), 2, 6, 8)
    pictures[number, channel] = waves
    torch.testing.assert_close(pictures, spectrum.to_picture(torch.eye(len(number))))


def test_bits_do_not_depend_on_the_number_of_pictures():
    spectrum = Spectrum.of(torch.Size((3, 32, 32)), 0.25, CPU)
    numbers = torch.randn(9, spectrum.size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(spectrum.to_picture(numbers)[4:5], spectrum.to_picture(numbers[4:5]))


def test_tables_have_no_frequencies_and_all_of_them_are_plain_noise():
    assert Spectrum.of(torch.Size((9,)), 0.5, CPU) is None
    assert Spectrum.below(torch.Size((1, 4, 4)), 1.0, CPU) is None
