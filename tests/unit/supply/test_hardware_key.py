"""Keys on a PKCS#11 token sign like any other, on SoftHSM where that is installed."""

from __future__ import annotations

import sys

import pytest

from gambeson.core.errors import IntegrityError, Unavailable, UsageError
from gambeson.supply.keys import open_private_key, open_public_key
from gambeson.supply.model_signature import sign_model, verify_model
from tests.soft_token import PIN, find_library, make_pairs, make_token

needs_token = pytest.mark.skipif(find_library() is None, reason="SoftHSM is not installed")
ENVIRON = {"PIN": PIN, "WRONG": "0000", "PKCS11_MODULE_PATH": str(find_library())}


@pytest.fixture(scope="module", autouse=True)
def token(tmp_path_factory):
    if find_library() is None:
        yield
        return
    pytest.importorskip("pkcs11")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(make_token(tmp_path_factory.mktemp("token"))))
        make_pairs(find_library())
        yield


def uri(name="release", pin="PIN", token="tests"):
    return f"pkcs11:token={token};object={name}?pin-source=env:{pin}"


@needs_token
@pytest.mark.parametrize(("name", "kind"), [("release", "secp256r1"), ("large", "secp384r1")])
def test_a_signature_of_the_token_verifies_and_no_other_message_does(name, kind):
    key = open_private_key(uri(name), ENVIRON)
    assert key.public.kind == kind
    signature = key.sign(b"content")
    key.public.verify(b"content", signature)
    with pytest.raises(IntegrityError):
        key.public.verify(b"Content", signature)


@needs_token
def test_a_model_is_signed_by_the_token(tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    bundle = sign_model(model, open_private_key(uri(), ENVIRON))
    public = open_public_key(uri(), ENVIRON)
    assert verify_model(model, bundle, [public]).key == public.id
    model.write_bytes(b"Weights")
    with pytest.raises(IntegrityError):
        verify_model(model, bundle, [public])


@needs_token
def test_the_library_may_be_named_in_the_uri():
    place = f"{uri()}&module-path={find_library()}"
    assert open_private_key(place, {"PIN": PIN}).public == open_private_key(uri(), ENVIRON).public


@needs_token
@pytest.mark.parametrize(
    ("place", "words"),
    [(uri("nobody"), "0 private keys"), (uri(token="nowhere"), "no token"), (uri("rsa"), "kind RSA")],
)
def test_what_is_not_on_the_token_is_named(place, words):
    with pytest.raises(UsageError, match=words):
        open_private_key(place, ENVIRON)


@needs_token
def test_a_library_that_is_none_is_named(tmp_path):
    with pytest.raises(Unavailable, match="cannot be used"):
        open_private_key(uri(), {**ENVIRON, "PKCS11_MODULE_PATH": str(tmp_path / "nothing.so")})


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("pkcs11:token=x", "does not name one key"),
        ("pkcs11:token=x;object=y;slot=1", "does not name one key"),
        ("pkcs11:token=x;object=y?speed=9", "does not name one key"),
        ("pkcs11:token=x;object=y?pin-value=1234", "never given in plain"),
        ("pkcs11:token=x;object=y?pin-source=1234", "never given in plain"),
        ("pkcs11:token=x;object=y?pin-source=env:NONE", "no variable 'NONE'"),
    ],
)
def test_a_uri_that_is_wrong_says_so_and_shows_no_pin(place, words):
    with pytest.raises(UsageError, match=words) as caught:
        open_private_key(place, {"PKCS11_MODULE_PATH": "x.so"})
    assert "1234" not in str(caught.value)


def test_the_library_must_be_named():
    with pytest.raises(UsageError, match="which library"):
        open_private_key("pkcs11:token=x;object=y", {})


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Unavailable, match=r"gambeson\[pkcs11\]"):
        open_private_key("pkcs11:token=x;object=y", {"PKCS11_MODULE_PATH": "x.so"})
