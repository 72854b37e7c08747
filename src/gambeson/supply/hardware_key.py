"""ECDSA keys that never leave a PKCS#11 token: a smart card, a security module, SoftHSM.

Source: RFC 7512 (the URI), PKCS#11 v2.40 section 2.3 (ECDSA).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from gambeson.core.errors import Unavailable, UsageError, missing_extra

FORM = "pkcs11:token=NAME;object=NAME?module-path=LIBRARY.so&pin-source=env:VARIABLE"
MODULE = "PKCS11_MODULE_PATH"
_ATTRIBUTES, _OPTIONS = ("token", "object"), ("module-path", "pin-source")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key on a token; signs as a key of ``cryptography`` does."""

    _key: Any

    def sign(self, message: bytes, scheme: Any) -> bytes:
        """The DER signature of a message.

        Args:
            message: What to sign.
            scheme: ``ec.ECDSA`` with the hash to use.

        Raises:
            Unavailable: The token does not sign.
        """
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from pkcs11 import Mechanism

        digest = hashlib.new(scheme.algorithm.name, message).digest()
        with _explained():
            raw = self._key.sign(digest, mechanism=Mechanism.ECDSA)
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def open_token_key(
    uri: str, environ: Mapping[str, str], secret: Callable[[str], str]
) -> tuple[TokenKey, Any]:
    """A private key on a token, and its public half as ``cryptography`` has it.

    Args:
        uri: Of the form ``FORM``; the environment may name the library instead.
        environ: Where ``PKCS11_MODULE_PATH`` is looked up.
        secret: Gives the PIN for what ``pin-source`` says.

    Raises:
        UsageError: The URI is wrong, there is no such token or ECDSA key, or the PIN is wrong.
        Unavailable: The library or the package for it is not there, or the token does not answer.
    """
    names, options = _parse(uri)
    module = options.get("module-path") or environ.get(MODULE, "")
    if not module:
        raise UsageError(
            f"{uri} does not say which library leads to the token.", expected=f"{FORM}, or {MODULE}"
        )
    pin = secret(options.get("pin-source", ""))
    with _explained():
        session = _session(module, names["token"], pin)
        private, public = _pair(session, names["object"])
        return TokenKey(private), _public_half(public)


def _parse(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    names = {key: unquote(value) for key, _, value in (part.partition("=") for part in path.split(";"))}
    options = dict(parse_qsl(query, keep_blank_values=True))
    if "pin-value" in options:
        raise UsageError("A PIN is never given in plain.", expected="pin-source=env:VARIABLE")
    if set(names) != set(_ATTRIBUTES) or not set(options) <= set(_OPTIONS):
        raise UsageError(f"{uri} does not name one key on one token.", expected=FORM)
    return names, options


def _session(module: str, token: str, pin: str) -> Any:
    """A session with a token; the library knows one login for the whole process."""
    import pkcs11

    found = pkcs11.lib(module).get_token(token_label=token)
    try:
        return found.open(user_pin=pin or None)
    except pkcs11.exceptions.UserAlreadyLoggedIn:
        return found.open()


def _pair(session: Any, name: str) -> tuple[Any, Any]:
    from pkcs11 import Attribute, ObjectClass

    def one(kind: Any) -> Any:
        found = list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: name}))
        if len(found) != 1:
            raise UsageError(
                f"The token has {len(found)} {kind.name.lower().replace('_', ' ')}s of the name {name!r}.",
                expected="one key pair, both halves of this name; a wrong or missing PIN hides the private key",
            )
        return found[0]

    return one(ObjectClass.PRIVATE_KEY), one(ObjectClass.PUBLIC_KEY)


def _public_half(public: Any) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from pkcs11 import KeyType
    from pkcs11.util.ec import encode_ec_public_key

    if public.key_type is not KeyType.EC:
        raise UsageError(
            f"The key is of the kind {public.key_type.name}.", expected="ECDSA on P-256, P-384 or P-521"
        )
    return load_der_public_key(encode_ec_public_key(public))


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of the token's library in our words."""
    try:
        from pkcs11 import exceptions
    except ModuleNotFoundError:
        raise missing_extra("pkcs11", "pkcs11") from None
    try:
        yield
    except (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange):
        raise UsageError(
            "The token does not take this PIN.", expected="pin-source=env:VARIABLE with its PIN"
        ) from None
    except exceptions.NoSuchToken:
        raise UsageError("There is no token of this name.", expected=FORM) from None
    except exceptions.PKCS11Error as error:
        words = str(error) or type(error).__name__
        raise Unavailable(f"The token cannot be used: {words}.", expected=FORM) from None
