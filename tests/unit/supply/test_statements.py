"""A signed statement is accepted as it was written, and in no other form."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import GambesonError, IntegrityError, Refused
from gambeson.supply.canonical import encode
from gambeson.supply.statements import (
    PAYLOAD_TYPE,
    Statement,
    Subject,
    preauthenticate,
    read_statement,
    sign_statement,
    verify_statement,
)
from tests.trust import NOW, flips, new_key, ring

CLAIM = Statement((Subject("a.csv", (("sha256", "ab" * 32),)),), "https://example.org/claim", {"n": 1})


def test_preauthentication_is_that_of_the_specification():
    assert preauthenticate("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_a_statement_comes_back_with_its_signer(kind):
    key = new_key(kind, kind)
    signed = verify_statement(sign_statement(CLAIM, key), ring(new_key("other"), key), NOW)
    assert (signed.statement, signed.key) == (CLAIM, key.public.id)


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_every_flipped_byte_is_refused(kind):
    key = new_key(kind, kind)
    for wrong in flips(sign_statement(CLAIM, key)):
        with pytest.raises((IntegrityError, Refused)):
            verify_statement(wrong, ring(key), NOW)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail_in_another_way(content):
    with pytest.raises(GambesonError):
        verify_statement(content, ring(new_key()), NOW)


def test_an_unknown_or_expired_key_is_refused():
    envelope = sign_statement(CLAIM, new_key("other"))
    with pytest.raises(Refused, match="not in the keyring"):
        verify_statement(envelope, ring(new_key()), NOW)
    with pytest.raises(Refused, match="expired"):
        verify_statement(envelope, ring(new_key("other"), expires="2026-01-01"), NOW)


def test_a_second_signature_or_another_payload_type_is_refused():
    tree = json.loads(sign_statement(CLAIM, new_key()))
    for change in ({"signatures": tree["signatures"] * 2}, {"payloadType": "text/plain"}, {"more": 1}):
        with pytest.raises(IntegrityError):
            verify_statement(encode(tree | change), ring(new_key()), NOW)


def test_any_dsse_reader_can_check_it():
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    tree = json.loads(sign_statement(CLAIM, new_key()))
    payload = base64.b64decode(tree["payload"])
    signed = b"DSSEv1 %d %s %d " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload)) + payload
    public = load_pem_public_key(new_key().public.pem.encode())
    public.verify(base64.b64decode(tree["signatures"][0]["sig"]), signed, ECDSA(SHA256()))
    assert json.loads(payload)["_type"] == "https://in-toto.io/Statement/v1"


@pytest.mark.parametrize(
    "change", [{"_type": "v0"}, {"predicate": []}, {"subject": [{"name": "a"}]}, {"subject": 1}]
)
def test_another_statement_is_refused(change):
    tree = {"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}}
    assert read_statement(encode(tree)).kind == "x"
    with pytest.raises(IntegrityError):
        read_statement(encode(tree | change))
