"""Signatures of the OpenSSF's format: its own tool's, and ours."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess

import pytest

from gambeson.core.errors import GambesonError, IntegrityError, Refused, Unavailable, UsageError
from gambeson.supply.keys import open_public_key
from gambeson.supply.model_signature import sign_model, verify_model
from tests.architecture.source_tree import ROOT
from tests.trust import flips, new_key, write_tree

THEIRS = ROOT / "tests" / "data" / "model_signing"


@pytest.fixture
def model(tmp_path):
    return write_tree(tmp_path / "model", {"a.bin": b"hello\n", "sub/b.txt": b"hi\n"})


def test_a_bundle_of_the_official_tool_is_accepted_and_each_flipped_byte_refused(model):
    public = open_public_key(str(THEIRS / "public.pem"))
    bundle = (THEIRS / "model.sig").read_bytes()
    assert verify_model(model, bundle, [public]).files == 2
    for wrong in flips(bundle, (0x01,)):
        with pytest.raises((IntegrityError, Refused)):
            verify_model(model, wrong, [public])


def test_ours_is_accepted_and_each_flipped_byte_refused(model):
    key = new_key()
    bundle = sign_model(model, key)
    signed = verify_model(model, bundle, [key.public])
    assert (signed.name, signed.files) == ("model", 2)
    for wrong in flips(bundle, (0x20,)):
        with pytest.raises((IntegrityError, Refused)):
            verify_model(model, wrong, [key.public])


def test_no_base64_of_ours_has_spare_bits(model):
    for _ in range(20):
        envelope = json.loads(sign_model(model, new_key()))["dsseEnvelope"]
        assert "=" not in envelope["payload"] + envelope["signatures"][0]["sig"]


def test_the_digest_is_that_of_the_digests(model):
    parts = [hashlib.sha256(text).digest() for text in (b"hello\n", b"hi\n")]
    signed = verify_model(model, sign_model(model, new_key()), [new_key().public])
    assert signed.digest == hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.mark.skipif(shutil.which("model_signing") is None, reason="model_signing is not installed")
def test_the_official_tool_accepts_ours(model, tmp_path):
    (tmp_path / "k.pem").write_text(new_key().public.pem)
    (tmp_path / "m.sig").write_bytes(sign_model(model, new_key()))
    words = ["verify", "key", str(model), "--public_key", str(tmp_path / "k.pem"), "--signature"]
    subprocess.run(["model_signing", *words, str(tmp_path / "m.sig")], check=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: (m / "a.bin").write_bytes(b"hellO\n"), "a.bin was changed"),
        (lambda m: (m / "a.bin").unlink(), "a.bin is missing"),
        (lambda m: (m / "new").write_bytes(b""), "new was not signed"),
    ],
)
def test_a_changed_missing_or_added_file_is_refused(model, change, words):
    bundle = sign_model(model, new_key())
    change(model)
    with pytest.raises(IntegrityError, match=words):
        verify_model(model, bundle, [new_key().public])


def test_a_signature_inside_the_folder_is_not_part_of_it(model):
    path = model / "model.sig"
    path.write_bytes(sign_model(model, new_key(), path))
    assert verify_model(model, path.read_bytes(), [new_key().public], path).files == 2


def test_one_file_is_signed_alone(model):
    bundle = sign_model(model / "a.bin", new_key())
    assert verify_model(model / "a.bin", bundle, [new_key().public]).name == "a.bin"
    with pytest.raises(IntegrityError):
        verify_model(model / "sub" / "b.txt", bundle, [new_key().public])


def test_another_key_is_refused(model):
    with pytest.raises(Refused, match="another key"):
        verify_model(model, sign_model(model, new_key()), [new_key("other").public])


def test_the_format_has_no_ed25519(model):
    with pytest.raises(UsageError, match="Ed25519"):
        sign_model(model, new_key("e", "ed25519"))


def test_a_way_to_hash_that_is_not_read_is_said(model):
    from gambeson.supply.model_signature import _bundle

    bundle = json.loads(sign_model(model, new_key()))
    tree = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    for field, value in (("method", "shards"), ("hash_type", "blake3"), ("allow_symlinks", True)):
        how = tree["predicate"]["serialization"] | {field: value}
        payload = json.dumps(tree | {"predicate": tree["predicate"] | {"serialization": how}}).encode()
        with pytest.raises(Unavailable):
            verify_model(model, _bundle(payload, new_key()), [new_key().public])
    with pytest.raises(GambesonError):
        verify_model(model, _bundle(b'{"subject":[]}', new_key()), [new_key().public])
