import pickle

import joblib
import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.core.reproduce import digest_file
from gambeson.models.model_file import SUFFIXES, check_findings, damaged, read_model_file
from tests.corpus.archives import plain_zip
from tests.corpus.hostile_models import safetensors
from tests.corpus.opcodes import EVIL
from tests.unit.models.conftest import Payload


def test_the_bytes_are_digested_as_they_lie_on_disk(write, tmp_path):
    path = write("model.json", b'{"learner": 1}')
    file = read_model_file(path)
    assert (file.data, file.digest) == (b'{"learner": 1}', digest_file(tmp_path / "model.json"))


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".pkl", ".joblib", ""])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_refused_whatever_its_name_and_never_runs(write, tmp_path, suffix, protocol):
    trap = tmp_path / "ran"
    path = write("model" + suffix, pickle.dumps(Payload(trap), protocol))
    with pytest.raises(Refused, match=r"pickle.*never loaded") as caught:
        read_model_file(path)
    assert not trap.exists()
    for remedy in ("skops.io.dump", "safetensors.torch.save_file", "torch.export.save", "booster.save_model"):
        assert remedy in str(caught.value)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3)], ids=["plain", "zlib", "gzip"])
def test_joblib_files_are_refused(tmp_path, compress):
    trap = tmp_path / "ran"
    joblib.dump([Payload(trap)], tmp_path / "model.joblib", compress=compress)
    with pytest.raises(Refused, match="skops"):
        read_model_file(str(tmp_path / "model.joblib"))
    assert not trap.exists()


def test_a_legacy_torch_pickle_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    trap = tmp_path / "ran"
    torch.save(Payload(trap), tmp_path / "model.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(Refused, match="legacy PyTorch pickle"):
        read_model_file(str(tmp_path / "model.pt"))
    assert not trap.exists()


@pytest.mark.parametrize("data", [b"\x89HDF\r\n\x1a\n12345678", b"\x1f\x8b\x08\x00"])
def test_formats_that_are_not_read_say_what_to_do(write, data):
    with pytest.raises(Refused, match=r"ONNX"):
        read_model_file(write("model.h5", data))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("m.onnx", b'{"a": 1}', "JSON text"),
        ("m.json", b"tree\nx", "a LightGBM text model"),
        ("m.pt2", b"PK\x03\x04 cut off", "a zip archive"),
        ("m.skops", b"no such thing", "in no format"),
        ("m.safetensors", b"\x00" * 20, "in no format"),
    ],
)
def test_content_that_is_not_what_the_name_says_is_named(write, name, data, said):
    with pytest.raises(IntegrityError, match=f"its content seems to be {said}"):
        read_model_file(write(name, data))


def test_missing_empty_and_unreadable_files_are_told_apart(write, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_model_file(str(tmp_path / "nowhere.onnx"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_model_file(str(tmp_path))
    with pytest.raises(IntegrityError, match="is empty"):
        read_model_file(write("m.onnx", b""))


def test_a_parser_s_complaint_is_quoted_in_one_line():
    error = damaged("m.onnx", "an ONNX model", ValueError("a\n  b" * 200))
    assert isinstance(error, IntegrityError)
    assert "ValueError: a b" in error.message
    assert len(error.message) < 400


TENSOR = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def test_a_file_with_a_finding_is_refused_with_rule_and_place(write):
    file = read_model_file(write("w.safetensors", safetensors(TENSOR) + plain_zip({"data.pkl": EVIL})))
    with pytest.raises(
        Refused, match=r"scan\.pickle\.dangerous at .*w\.safetensors!data\.pkl@25\)\. There are \d more"
    ):
        check_findings(file)


def test_a_broken_file_is_called_damaged_and_a_sound_one_passes(write):
    with pytest.raises(IntegrityError, match=r"truncated or damaged.*scan\.safetensors\.layout"):
        check_findings(read_model_file(write("w.safetensors", safetensors(TENSOR, bytes(9)))))
    check_findings(read_model_file(write("w.safetensors", safetensors(TENSOR))))


def test_what_is_scanned_is_what_was_read_not_what_lies_there_now(write, tmp_path):
    file = read_model_file(write("w.safetensors", safetensors(TENSOR)))
    (tmp_path / "w.safetensors").write_bytes(EVIL)
    check_findings(file)
