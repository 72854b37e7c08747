import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content
from gambeson.supply.recognising import contradicts, recognise, suffix_of
from gambeson.supply.sniffing import Format
from tests.corpus.archives import Part, plain_tar, plain_zip, raw_zip, torch_like
from tests.corpus.hostile_models import safetensors
from tests.corpus.messages import count, gguf, hdf5, saved_model, text
from tests.corpus.opcodes import EVIL, HARMLESS, call

ONNX = count(1, 8) + text(2, "x") + text(7, text(2, "g")) + text(8, count(2, 17))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Format.EMPTY), (EVIL, Format.PICKLE), (call("os", "system", protocol=0), Format.PICKLE),
        (HARMLESS + b"tail", Format.PICKLE), (torch_like(HARMLESS), Format.TORCH_ZIP),
        (plain_zip({"x": b"y"}), Format.ZIP),
        (raw_zip(Part("a", b"x"))[:-3], Format.ZIP), (safetensors({}), Format.SAFETENSORS), (gguf(), Format.GGUF),
        (hdf5("{}"), Format.HDF5), (saved_model(["MatMul"]), Format.TENSORFLOW), (ONNX, Format.ONNX),
        (ONNX[:-2], Format.ONNX),
        (plain_tar({"a": b"x"}), Format.TAR), (json.dumps({"a": 1}).encode(), Format.JSON),
        (b"{L" + (7).to_bytes(8, "big") + b"learner{", Format.UBJSON), (b"7z\xbc\xaf\x27\x1c", Format.CLOSED),
        (b"\x7fELF", Format.NATIVE), (b"some text, \xc3\xbc", Format.TEXT), (b"\x89PNG\r\n\x1a\n", Format.PICTURE),
        (bytes(99), Format.UNKNOWN), (b"\x80\x04\xff\xff\xff", Format.UNKNOWN), (b"{i\xff\xff\xff", Format.UNKNOWN),
        (b"\x1f\x8b\x00\x00", Format.UNKNOWN),
    ],
)  # fmt: skip
def test_the_content_decides(data, kind):
    assert recognise(Content(data), "file.bin") is kind


def test_a_pickle_extension_makes_a_pickle_of_what_is_nothing_else():
    assert recognise(Content(b"\xff\xfe"), "x.pkl") is Format.PICKLE
    assert recognise(Content(b"\x80\x04\xff"), "x.joblib") is Format.PICKLE


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.onnx", Format.PICKLE),
        ("x.safetensors", Format.UNKNOWN),
        ("x.png", Format.ZIP),
        ("x.csv", Format.PICKLE),
        ("x.pt", Format.NATIVE),
    ],
)
def test_an_extension_that_lies_is_told(name, kind):
    assert contradicts(name, kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.onnx", Format.ONNX),
        ("x.bin", Format.PICKLE),
        ("x", Format.PICKLE),
        ("X.PT", Format.TORCH_ZIP),
        ("x.csv", Format.UNKNOWN),
    ],
)
def test_an_extension_that_fits_or_says_nothing_is_left_alone(name, kind):
    assert not contradicts(name, kind)


def test_suffixes():
    assert [suffix_of(name) for name in ("a.PKL", ".hidden", "a.b.c", "none")] == [".pkl", "", ".c", ""]


@given(st.binary(max_size=600), st.sampled_from(["x", "x.pkl", "x.onnx", "x.tar"]))
def test_no_bytes_make_it_raise(data, name):
    assert isinstance(recognise(Content(data), name), Format)
