"""Model signatures in the format of the OpenSSF: a Sigstore bundle (v0.3) around an in-toto Statement in DSSE.

Written and read so that the tool ``model_signing`` (1.x, method ``key``) verifies ours and we verify its own.
Source: github.com/sigstore/model-transparency, predicate ``https://model_signing/signature/v1.0``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gambeson.core.errors import IntegrityError, Refused, Unavailable, UsageError
from gambeson.supply.canonical import decode_base64, encode, encode_base64, parse
from gambeson.supply.files import list_files, read_blocks
from gambeson.supply.keys import PrivateKey, PublicKey
from gambeson.supply.statements import PAYLOAD_TYPE, STATEMENT_TYPE, preauthenticate

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
GIT_PATHS = (".git", ".gitattributes", ".github", ".gitignore")
_HASHES = ("sha256", "blake2b")
_WHAT = "a model signature"
_TRIES = 100
Listed = tuple[str, str]
"""Name of a file and its digest, hex."""


@dataclass(frozen=True, slots=True)
class SignedModel:
    """What a signature vouches for.

    Attributes:
        name: The signer's name of the model.
        digest: SHA-256 over the digests of its files, hex.
        files: How many.
        key: Id of the key that signed.
    """

    name: str
    digest: str
    files: int
    key: str


def sign_model(path: Path, key: PrivateKey, signature: Path | None = None) -> bytes:
    """The bundle for a model file or folder.

    Args:
        path: What to sign.
        key: ECDSA on a NIST curve; the format knows no Ed25519 key.
        signature: Where the bundle will lie; left out of the signature where that is inside the folder.

    Raises:
        UsageError: The key is of another kind, or the model cannot be read.
        Refused: The folder holds links or devices.
    """
    ignored = sorted({*GIT_PATHS, *_inside(path, signature)})
    return sign_listed(path.resolve().name, _hash_files(path, ignored, "sha256"), key, ignored)


def sign_listed(
    name: str, files: Sequence[Listed], key: PrivateKey, ignored: Sequence[str] = GIT_PATHS
) -> bytes:
    """The bundle for files whose digests are known.

    Args:
        name: What the model is called.
        files: ``(name, SHA-256 hex)``; a model of a single file calls it ``.``.
        key: As for :func:`sign_model`.
        ignored: Names that are no part of the model.

    Raises:
        UsageError: The key is of another kind.
    """
    if key.public.kind == "ed25519":
        raise UsageError(
            "The model signing format has no Ed25519 keys.",
            expected="an ECDSA key",
            remedy="make one with gambeson key new --kind p256",
        )
    how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": list(ignored)}
    resources = [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in files]
    payload = encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": _root(files)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"serialization": how, "resources": resources},
        }
    )
    return _bundle(payload, key)


def verify_model(
    path: Path, bundle: bytes, keys: Sequence[PublicKey], signature: Path | None = None
) -> SignedModel:
    """Check a model against its bundle: signature, list of files, and every digest.

    Args:
        path: The model file or folder.
        bundle: Content of the signature file. It has one spelling: any changed byte is refused.
        keys: One of which must have signed.
        signature: Where the bundle lies; not expected in its own list.

    Raises:
        IntegrityError: The bundle or a file was changed, is missing, or was added.
        Refused: Another key signed.
        Unavailable: The bundle uses a way to hash that is not read here.
    """
    signed, files, kind, ignored = _read_payload(*_open_bundle(bundle, keys))
    _compare(files, _hash_files(path, [*ignored, *_inside(path, signature)], kind))
    return signed


def verify_listed(bundle: bytes, keys: Sequence[PublicKey], files: Sequence[Listed]) -> SignedModel:
    """Check files whose SHA-256 digests are known against a bundle; otherwise as :func:`verify_model`."""
    signed, listed, kind, _ = _read_payload(*_open_bundle(bundle, keys))
    if kind != "sha256":
        raise Unavailable("The signature lists other digests than SHA-256.")
    _compare(listed, files)
    return signed


def _read_payload(payload: bytes, key: str) -> tuple[SignedModel, list[Listed], str, list[str]]:
    """What was signed, its files, how they are hashed, and what is ignored."""
    tree = parse(payload, _WHAT)
    try:
        (subject,) = tree["subject"]
        name, root = str(subject["name"]), str(subject["digest"]["sha256"])
        how, listed = tree["predicate"]["serialization"], tree["predicate"]["resources"]
        files = [(str(r["name"]), str(r["digest"])) for r in listed]
        known = tree["_type"] == STATEMENT_TYPE and tree["predicateType"] == PREDICATE_TYPE
        method, kind = str(how["method"]), str(how["hash_type"])
        ignored = [str(item) for item in how.get("ignore_paths", ())]
        adds_up = _root(files) == root
    except (KeyError, TypeError, ValueError, AttributeError):
        raise IntegrityError("The signed list of files cannot be read.") from None
    if not known or method != "files" or kind not in _HASHES or how.get("allow_symlinks") is not False:
        raise Unavailable(
            f"The signature describes the model in a way that is not read here ({method}, {kind}).",
            expected="predicate v1.0, method files, sha256 or blake2b, no links followed",
        )
    if not adds_up:
        raise IntegrityError("The signed list of files does not add up to the signed digest.")
    return SignedModel(name, root, len(files), key), files, kind, ignored


def _compare(signed: Sequence[Listed], found: Sequence[Listed]) -> None:
    before, now = dict(signed), dict(found)
    for words, names in (
        ("is missing", before.keys() - now.keys()),
        ("was not signed", now.keys() - before.keys()),
        ("was changed after it was signed", {n for n in before.keys() & now.keys() if before[n] != now[n]}),
    ):
        if names:
            raise IntegrityError(
                f"The model does not match its signature: {min(names)} {words}"
                + (f", and {len(names) - 1} more." if len(names) > 1 else "."),
                remedy="fetch the model again from whoever signed it",
            )


def _bundle(payload: bytes, key: PrivateKey) -> bytes:
    """The bundle around a payload.

    Base64 of a length that is no multiple of three has spare bits, which ``model_signing`` ignores: one changed byte
    would then go unnoticed there. So the payload ends in spaces, and a signature of another length is made again.
    """
    payload += b" " * (-len(payload) % 3)
    sealed = preauthenticate(PAYLOAD_TYPE, payload)
    signatures = (key.sign(sealed) for _ in range(_TRIES))
    signature = next((one for one in signatures if len(one) % 3 == 0), None) or key.sign(sealed)
    envelope = {
        "payload": encode_base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": encode_base64(signature), "keyid": ""}],
    }
    material = {"publicKey": {"hint": _hint(key.public)}, "tlogEntries": []}
    bundle = {"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}
    return _compact(bundle)


def _open_bundle(content: bytes, keys: Sequence[PublicKey]) -> tuple[bytes, str]:
    """Payload and key of a bundle whose seal holds and whose every byte is what ``model_signing`` or we would write."""
    tree = parse(content, _WHAT)
    try:
        envelope = tree["dsseEnvelope"]
        payload = decode_base64(envelope["payload"], "payload")
        (seal,) = envelope["signatures"]
        sig = decode_base64(seal["sig"], "signature")
        hint = tree["verificationMaterial"]["publicKey"]["hint"]
    except (KeyError, TypeError, ValueError):
        raise IntegrityError(f"This is not {_WHAT} by a key.", expected="a Sigstore bundle v0.3") from None
    expected = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": envelope["payload"],
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": seal["sig"], "keyid": ""}],
        },
    }
    if tree != expected or content != _compact(tree):
        raise IntegrityError(f"This is not {_WHAT} as it was written: its bytes were changed.")
    key = next((key for key in keys if hint == _hint(key)), None)
    if key is None:
        raise Refused(
            "The model was signed by another key than those that are trusted.",
            expected=", ".join(key.id[:16] for key in keys) or "a trusted key",
            remedy="trust its key with gambeson key trust, if you know whose it is",
        )
    key.verify(preauthenticate(PAYLOAD_TYPE, payload), sig)
    return payload, key.id


def names_key(bundle: bytes, key: PublicKey) -> bool:
    """Whether a bundle says that a key signed it; whether it did, is another question."""
    return f'"hint":"{_hint(key)}"'.encode() in bundle


def _compact(tree: Any) -> bytes:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode()


def _hint(key: PublicKey) -> str:
    """How the format names a key: the SHA-256 of its PEM text."""
    return hashlib.sha256(key.pem.encode()).hexdigest()


def _root(resources: Iterable[Listed]) -> str:
    state = hashlib.sha256()
    for _, digest in resources:
        state.update(bytes.fromhex(digest))
    return state.hexdigest()


def _hash_files(path: Path, ignored: Iterable[str], kind: str) -> list[Listed]:
    """``(name, hex digest)`` of every file; a single file is called ``.`` in this format."""
    found = []
    for file in list_files(path, frozenset(ignored)):
        state = hashlib.new(kind)
        for block in read_blocks(file):
            state.update(block)
        found.append((file.name if path.is_dir() else ".", state.hexdigest()))
    return found


def _inside(folder: Path, file: Path | None) -> tuple[str, ...]:
    if file is None or not file.resolve().is_relative_to(folder.resolve()) or not folder.is_dir():
        return ()
    return (file.resolve().relative_to(folder.resolve()).as_posix(),)
