"""Pictures for a report."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from gambeson.audit.checks.encoded_pictures import can_encode, encode_png

Image = pytest.importorskip("PIL.Image")


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def test_values_come_back_rounded_to_8_bits_and_cut_to_the_bounds():
    picture = np.array([[[0.0, 0.5], [1.0, 7.0]]])
    assert decoded(encode_png(picture)).tolist() == [[0, 128], [255, 255]]


def test_colours_keep_their_place():
    picture = np.zeros((3, 2, 2))
    picture[1] = 1
    assert (decoded(encode_png(picture)) == [0, 255, 0]).all()


def test_a_large_picture_is_made_smaller_and_keeps_its_shape():
    assert decoded(encode_png(np.zeros((1, 300, 150)), 100)).shape == (100, 50)


def test_pillow_is_seen():
    assert can_encode()
