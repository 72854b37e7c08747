"""Keys are found by URI, sign, verify, and keep their secret."""

from __future__ import annotations

import hashlib

import pytest

from gambeson.core.errors import IntegrityError, Unavailable, UsageError
from gambeson.supply.keys import make_key, open_private_key, open_public_key, password_of, read_public_key
from tests.trust import flips, new_key


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_a_signature_verifies_and_no_other_message_does(kind):
    key = new_key(kind, kind)
    signature = key.sign(b"content")
    key.public.verify(b"content", signature)
    with pytest.raises(IntegrityError):
        key.public.verify(b"Content", signature)


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_every_flipped_byte_of_a_signature_is_refused(kind):
    key = new_key(kind, kind)
    for wrong in flips(key.sign(b"content")):
        with pytest.raises(IntegrityError):
            key.public.verify(b"content", wrong)


def test_a_key_comes_from_a_file_a_path_or_the_environment(tmp_path):
    pem, public = make_key()
    path = tmp_path / "release.key"
    path.write_bytes(pem)
    uris = (f"file:{path}", f"file://{path}", str(path), "env:KEY")
    assert {open_private_key(uri, {"KEY": pem.decode()}).public for uri in uris} == {public}
    assert open_public_key(str(path)) == public


def test_the_id_is_the_digest_of_the_der_form():
    from cryptography.hazmat.primitives import serialization as s

    public = new_key().public
    der = s.load_pem_public_key(public.pem.encode()).public_bytes(
        s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.id == hashlib.sha256(der).hexdigest()


def test_an_encrypted_key_needs_its_password(tmp_path):
    pem, public = make_key("ed25519", "secret")
    environ = {"KEY": pem.decode(), "WORD": "secret", "WRONG": "x"}
    assert open_private_key("env:KEY?password=env:WORD", environ).public == public
    for uri in ("env:KEY", "env:KEY?password=env:WRONG"):
        with pytest.raises(UsageError, match="password is missing or wrong"):
            open_private_key(uri, environ)


def test_no_message_and_no_repr_shows_a_secret():
    pem, _ = make_key()
    assert "PRIVATE" not in repr(open_private_key("env:K", {"K": pem.decode()}))
    with pytest.raises(UsageError) as caught:
        open_private_key(pem.decode())
    assert pem.decode().splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["nothing.pem", "env:MISSING", "vault:x", "env:NOISE", "env:RSA", "env:NOISE?word=1"]
)
def test_what_is_no_key_is_refused(uri):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    rsa_key = rsa.generate_private_key(65537, 2048).private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()
    )
    with pytest.raises(UsageError):
        open_private_key(uri, {"NOISE": "noise", "RSA": rsa_key.decode()})


def test_a_scheme_that_is_not_there_says_so():
    with pytest.raises(Unavailable, match="not available"):
        open_private_key("sigstore:me@example.org")


def test_a_password_is_named_by_its_variable():
    assert password_of("") == ""
    with pytest.raises(UsageError, match="never given in plain"):
        password_of("secret")


def test_other_text_is_no_public_key():
    with pytest.raises(UsageError):
        read_public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(UsageError, match="Unknown kind"):
        make_key("rsa")
