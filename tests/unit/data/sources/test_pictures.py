"""Pictures: known formats, complete files, one size and mode."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import GambesonError, IntegrityError, Refused, UsageError
from gambeson.data.sources.pictures import Frame, decode_picture, inspect_picture
from tests.unit.data.sources.picture_files import noise, picture

LIMIT = 10_000


def inspect(data: bytes) -> Frame:
    return inspect_picture(io.BytesIO(data), "cat.png", LIMIT)


def decode(data: bytes, frame: Frame) -> np.ndarray:
    return decode_picture(io.BytesIO(data), "cat.png", frame)


@pytest.mark.parametrize("form", ["PNG", "BMP"])
@pytest.mark.parametrize("shape", [(6, 5, 3), (6, 5)])
def test_a_lossless_picture_comes_back_channels_first(form, shape):
    values = noise(0, shape)
    frame = inspect(picture(values, form))
    assert (frame.width, frame.height, frame.mode) == (5, 6, "RGB" if len(shape) == 3 else "L")
    expected = np.moveaxis(values, -1, 0) if len(shape) == 3 else values[None]
    assert np.array_equal(decode(picture(values, form), frame), expected)
    assert frame.shape == expected.shape


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_lossy_picture_comes_back_roughly(form):
    values = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    back = decode(picture(values, form), inspect(picture(values, form)))
    assert np.abs(back.astype(int) - np.moveaxis(values, -1, 0)).max() <= 6


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
def test_a_truncated_picture_is_an_error_that_names_it(form, kept):
    data = picture(noise(0, (40, 40, 3)), form)
    with pytest.raises(IntegrityError, match=r"cat\.png is cut off, damaged or no picture"):
        inspect(data[: int(len(data) * kept)])


def test_one_changed_byte_of_a_png_is_an_error():
    data = bytearray(picture(noise(0, (40, 40, 3))))
    data[len(data) // 2] ^= 1
    with pytest.raises(IntegrityError):
        inspect(bytes(data))


def test_a_jpeg_with_bytes_behind_its_end_is_complete():
    assert inspect(picture(noise(0), "JPEG") + b"camera data").mode == "RGB"


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"a,b\n1,2\n", picture(noise(0), "GIF"), picture(noise(0), "TIFF")]
)
def test_other_formats_are_errors(data):
    with pytest.raises(IntegrityError):
        inspect(data)


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA", "I;16"])
def test_other_modes_are_errors(mode):
    with pytest.raises(UsageError, match=f"of mode {mode}"):
        inspect(picture(noise(0), "PNG", mode))


@pytest.mark.parametrize("side", [200, 12_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side):
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(Refused, match=r"cat\.png"):
        inspect(bomb)


def test_a_picture_unlike_the_others_is_not_decoded():
    frame = inspect(picture(noise(0)))
    with pytest.raises(UsageError, match=r"cat.png is 6×5 RGB, the first picture is 5×6 RGB"):
        decode(picture(noise(0, (5, 6, 3))), frame)
    with pytest.raises(UsageError, match="5×6 L"):
        decode(picture(noise(0, (6, 5))), frame)
    with pytest.raises(Refused, match="7×7 pixels"):
        decode(picture(noise(0, (7, 7, 3))), frame)


@given(st.data(), st.sampled_from(["PNG", "JPEG", "BMP", "WEBP"]))
def test_any_damage_is_one_of_our_errors(data, form):
    content = bytearray(picture(noise(0), form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(GambesonError):
        decode(bytes(content), inspect(bytes(content)))
