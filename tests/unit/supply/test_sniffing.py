import gzip
import io
import pickle
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.sniffing import Format, sniff


def zip_of(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def npy():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


KNOWN = [
    (b"", Format.EMPTY),
    *[(pickle.dumps({"a": [1, 2.5, "x"]}, protocol), Format.PICKLE) for protocol in range(6)],
    *[(pickle.dumps(Format.ZIP, protocol), Format.PICKLE) for protocol in range(6)],
    (zip_of("archive/data.pkl", "archive/data/0"), Format.TORCH_ZIP),
    (zip_of("m/data.pkl", "m/constants.pkl", "m/code/a.py"), Format.TORCH_SCRIPT),
    (zip_of("m/archive_format", "m/models/model.json"), Format.TORCH_EXPORT),
    (zip_of("schema.json", "1.npy"), Format.SKOPS),
    (zip_of("config.json", "model.weights.h5"), Format.KERAS),
    (zip_of("x.npy"), Format.NPZ),
    (zip_of("readme"), Format.ZIP),
    (zip_of("x.npy")[:-5], Format.ZIP),
    ((2).to_bytes(8, "little") + b"{}", Format.SAFETENSORS),
    (b'{"learner": {}}', Format.JSON),
    (b" \n[1, 2]", Format.JSON),
    (b"{L" + (7).to_bytes(8, "big") + b"learner", Format.UBJSON),
    (b"tree\nversion=v4\n", Format.LIGHTGBM),
    (gzip.compress(b"abc", mtime=0), Format.GZIP),
    (zlib.compress(pickle.dumps([1])), Format.ZLIB),
    (b"\x89HDF\r\n\x1a\n" + bytes(8), Format.HDF5),
    (npy(), Format.NPY),
    (b"hello, world: this is a text", Format.UNKNOWN),
    (b"aaaaaaaaaaaaaaaa", Format.UNKNOWN),
    (bytes(64), Format.UNKNOWN),
]


@pytest.mark.parametrize(("data", "expected"), KNOWN, ids=lambda v: v.name if isinstance(v, Format) else "")
def test_a_known_format_is_named(data, expected):
    assert sniff(data) is expected


def test_legacy_torch_pickles_are_told_from_archives():
    torch = pytest.importorskip("torch")
    old, new = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.zeros(2)}, old, _use_new_zipfile_serialization=False)
    torch.save({"w": torch.zeros(2)}, new)
    assert sniff(old.getvalue()) is Format.LEGACY_TORCH
    assert sniff(new.getvalue()) is Format.TORCH_ZIP


@pytest.mark.parametrize("kept", [1.0, 0.9])
def test_an_onnx_model_is_known_even_when_cut_off(kept):
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", 1, [1, 40])
    weight = onnx.numpy_helper.from_array(np.ones((1, 40), np.float32), "w")
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    out = onnx.helper.make_tensor_value_info("y", 1, [1, 40])
    data = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", [value], [out], [weight])
    ).SerializeToString()
    assert sniff(data[: int(len(data) * kept)]) is Format.ONNX


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data):
    assert isinstance(sniff(data), Format)


@given(st.sampled_from([data for data, _ in KNOWN if data]), st.integers(0, 10_000), st.integers(0, 255))
def test_no_damage_to_a_real_file_makes_it_raise(data, place, byte):
    place %= len(data)
    assert isinstance(sniff(data[:place] + bytes([byte]) + data[place + 1 :]), Format)
    assert isinstance(sniff(data[:place]), Format)
