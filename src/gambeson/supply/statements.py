"""Signed statements: in-toto Statements (v1) in DSSE envelopes (v1), in one spelling, verified strictly.

Source: in-toto Attestation Framework v1, "Statement layer"; DSSE v1.0.0, "protocol.md", PAE and verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gambeson.core.errors import IntegrityError
from gambeson.supply.canonical import decode, decode_base64, encode, encode_base64
from gambeson.supply.keyring import Keyring
from gambeson.supply.keys import PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about.

    Attributes:
        name: For people.
        digest: ``(algorithm, hex)`` pairs: ``sha256`` of one file, ``dirHash`` of several.
    """

    name: str
    digest: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim about subjects.

    Attributes:
        subjects: At least one.
        kind: URI of the predicate's type.
        predicate: What is claimed; JSON.
    """

    subjects: tuple[Subject, ...]
    kind: str
    predicate: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement whose signature was verified, and the id of the key that signed it."""

    statement: Statement
    key: str


def preauthenticate(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed in place of the payload alone."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def sign_statement(statement: Statement, key: PrivateKey) -> bytes:
    """The envelope of a statement, signed with one key; ends without a newline."""
    payload = encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": s.name, "digest": dict(s.digest)} for s in statement.subjects],
            "predicateType": statement.kind,
            "predicate": statement.predicate,
        }
    )
    signature = key.sign(preauthenticate(PAYLOAD_TYPE, payload))
    return encode(
        {
            "payload": encode_base64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key.public.id, "sig": encode_base64(signature)}],
        }
    )


def verify_statement(envelope: bytes, keyring: Keyring, at: datetime) -> Signed:
    """The statement in an envelope that a trusted key signed.

    Any change of any byte is refused, white space included: the envelope has one spelling.

    Args:
        envelope: What :func:`sign_statement` wrote.
        keyring: Whom to trust.
        at: The moment at which the key must be trusted.

    Raises:
        IntegrityError: It is no envelope as it was written, or the signature does not fit.
        Refused: The key is unknown, has expired or was revoked.
    """
    tree = decode(envelope, "a signed statement")
    fields = _fields(tree, {"payload", "payloadType", "signatures"})
    if fields["payloadType"] != PAYLOAD_TYPE:
        raise IntegrityError(f"The payload is {fields['payloadType']!r}.", expected=PAYLOAD_TYPE)
    signatures = fields["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise IntegrityError("The statement does not have exactly one signature.")
    seal = _fields(signatures[0], {"keyid", "sig"})
    payload = decode_base64(fields["payload"], "payload")
    key = keyring.key(str(seal["keyid"]), at)
    key.verify(preauthenticate(PAYLOAD_TYPE, payload), decode_base64(seal["sig"], "signature"))
    return Signed(read_statement(payload), key.id)


def read_statement(payload: bytes) -> Statement:
    """A statement from its payload; whoever calls this has verified the signature.

    Raises:
        IntegrityError: It is no in-toto Statement v1 in its one spelling.
    """
    fields = _fields(decode(payload, "a statement"), {"_type", "subject", "predicateType", "predicate"})
    if fields["_type"] != STATEMENT_TYPE or not isinstance(fields["predicate"], dict):
        raise IntegrityError("This is not an in-toto Statement v1.", expected=STATEMENT_TYPE)
    try:
        subjects = tuple(
            Subject(str(s["name"]), tuple(sorted((str(k), str(v)) for k, v in s["digest"].items())))
            for s in fields["subject"]
        )
    except (KeyError, TypeError, AttributeError):
        raise IntegrityError("The subjects of the statement cannot be read.") from None
    return Statement(subjects, str(fields["predicateType"]), fields["predicate"])


def _fields(value: object, wanted: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != wanted:
        raise IntegrityError("This is not a signed statement.", expected=", ".join(sorted(wanted)))
    return value
