"""Signing keys by URI: Ed25519, and ECDSA on the curves P-256, P-384 and P-521."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gambeson.core.errors import IntegrityError, Unavailable, UsageError, missing_extra
from gambeson.supply.hardware_key import open_token_key

SCHEMES = "file:PATH or env:VARIABLE, with ?password=env:VARIABLE for an encrypted key; pkcs11:token=NAME;object=NAME"
KINDS = ("p256", "ed25519")
_CURVES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies a signature.

    Attributes:
        pem: SubjectPublicKeyInfo as PEM text.
        id: SHA-256 of the key's DER form, in hex; names the key everywhere.
        kind: ``"ed25519"``, or the curve of ECDSA.
    """

    pem: str
    id: str
    kind: str

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a signature; ECDSA hashes with the SHA-2 of its curve's size.

        Raises:
            IntegrityError: The signature is not this key's for this message.
        """
        from cryptography.exceptions import InvalidSignature

        try:
            _load(self.pem).verify(signature, message, *_scheme(self.kind))
        except (InvalidSignature, ValueError):
            raise IntegrityError(
                f"The signature does not fit the content and the key {self.id[:16]}.",
                expected="unchanged content, signed by this key",
            ) from None


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs. Its secret shows in no message and no ``repr``."""

    public: PublicKey
    _secret: Any

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.id[:16]})"

    def sign(self, message: bytes) -> bytes:
        """The signature of a message: 64 bytes for Ed25519, DER for ECDSA."""
        return bytes(self._secret.sign(message, *_scheme(self.public.kind)))


def open_private_key(uri: str, environ: Mapping[str, str] = os.environ) -> PrivateKey:
    """The private key at a URI.

    Args:
        uri: ``file:release.key``, ``env:RELEASE_KEY`` (the PEM text itself), a path, or ``pkcs11:token=T;object=K``.
        environ: Where ``env:`` looks.

    Raises:
        UsageError: There is no key of a known kind there, or its password is wrong or missing.
        Unavailable: The scheme or the package for it is not there.
    """
    _, serialization, _ = _cryptography()
    if uri.startswith("pkcs11:"):
        signer, half = open_token_key(uri, environ, lambda reference: password_of(reference, environ))
        return PrivateKey(_public(half), signer)
    place, _, query = uri.partition("?")
    pem = _read(place, environ)
    try:
        secret = serialization.load_pem_private_key(pem, _password(query, environ))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{_safe(place)} holds no private key that can be opened: {_reason(error)}.",
            expected=f"a PEM private key; {SCHEMES}",
            remedy="make one with gambeson key new",
        ) from None
    return PrivateKey(_public(secret.public_key()), secret)


def open_public_key(uri: str, environ: Mapping[str, str] = os.environ) -> PublicKey:
    """The public key at a URI; a private key stands for its public half, if it is not encrypted.

    Raises:
        UsageError: There is no key of a known kind there.
        Unavailable: The scheme or the package for it is not there.
    """
    if uri.startswith("pkcs11:"):
        return open_private_key(uri, environ).public
    pem = _read(uri.partition("?")[0], environ)
    if b"PRIVATE KEY" in pem:
        return open_private_key(uri, environ).public
    return read_public_key(pem.decode("ascii", "replace"))


def read_public_key(pem: str) -> PublicKey:
    """A public key from its PEM text.

    Raises:
        UsageError: It is none, or of another kind.
    """
    try:
        return _public(_load(pem))
    except ValueError:
        raise UsageError("This is no public key.", expected="PEM text: -----BEGIN PUBLIC KEY-----") from None


def make_key(kind: str = "p256", password: str = "") -> tuple[bytes, PublicKey]:
    """A new key pair: the private key as PKCS#8 PEM, encrypted if there is a password, and its public half.

    Raises:
        UsageError: An unknown kind.
    """
    ec, serialization, ed25519 = _cryptography()
    if kind not in KINDS:
        raise UsageError(f"Unknown kind of key {kind!r}.", expected=", ".join(KINDS))
    secret = (
        ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    )
    lock = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    return pem, _public(secret.public_key())


def password_of(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The password that ``env:VARIABLE`` names; none for an empty reference.

    Raises:
        UsageError: The variable is not set, or the reference is no such thing.
    """
    if not reference:
        return ""
    if not reference.startswith("env:"):
        raise UsageError("A password is never given in plain.", expected="env:VARIABLE")
    return _variable(reference.removeprefix("env:"), environ)


def _password(query: str, environ: Mapping[str, str]) -> bytes | None:
    if not query:
        return None
    if not query.startswith("password="):
        raise UsageError(f"Unknown option of a key: {query.partition('=')[0]!r}.", expected=SCHEMES)
    return password_of(query.removeprefix("password="), environ).encode() or None


def _read(place: str, environ: Mapping[str, str]) -> bytes:
    scheme, colon, rest = place.partition(":")
    if not colon or scheme == "file":
        return _file(Path(rest.removeprefix("//") if colon else place))
    if scheme == "env":
        return _variable(rest, environ).encode()
    if scheme == "sigstore":
        raise Unavailable(
            "Keyless signatures of Sigstore are not available: they need its servers at the time of signing.",
            expected=SCHEMES,
        )
    raise UsageError(f"Unknown scheme of a key: {scheme!r}.", expected=SCHEMES)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError as error:
        raise UsageError(f"{_safe(str(path))} cannot be read: {error.strerror}.", expected=SCHEMES) from None


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise UsageError(f"The environment has no variable {name!r}.", remedy=f"set {name}")
    return environ[name]


def _safe(place: str) -> str:
    return place if len(place) < 200 and "\n" not in place else "the key"


def _reason(error: Exception) -> str:
    text = str(error).lower()
    if "password" in text or "decrypt" in text:
        return "its password is missing or wrong"
    return "it is damaged, or of an unknown kind"


@functools.lru_cache(maxsize=64)
def _load(pem: str) -> Any:
    _, serialization, _ = _cryptography()
    return serialization.load_pem_public_key(pem.encode())


def _public(key: Any) -> PublicKey:
    _, serialization, ed25519 = _cryptography()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    kind = "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else getattr(key, "curve", None)
    name = kind if isinstance(kind, str) else getattr(kind, "name", type(key).__name__)
    if name != "ed25519" and name not in _CURVES:
        raise UsageError(
            f"Keys of the kind {name} are not used here.", expected="Ed25519, or ECDSA on P-256, P-384, P-521"
        )
    der = key.public_bytes(serialization.Encoding.DER, form)
    pem = key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")
    return PublicKey(pem, hashlib.sha256(der).hexdigest(), name)


def _scheme(kind: str) -> tuple[Any, ...]:
    """What ``sign`` and ``verify`` want beyond the message."""
    ec, _, _ = _cryptography()
    from cryptography.hazmat.primitives import hashes

    return () if kind == "ed25519" else (ec.ECDSA(getattr(hashes, _CURVES[kind])()),)


def _cryptography() -> tuple[Any, Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    except ModuleNotFoundError:
        raise missing_extra("cryptography", "trace") from None
    return ec, serialization, ed25519
