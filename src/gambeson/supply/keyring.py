"""The keys that a project trusts, each with the time until which it does."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.supply.canonical import parse
from gambeson.supply.keys import PublicKey, read_public_key


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One entry.

    Attributes:
        name: What people call it.
        public: Its PEM text.
        expires: ISO moment with time zone from which nothing counts that it signed; empty for never.
        revoked: ISO moment at which the key was lost or withdrawn, else empty. Nothing that it ever signed counts.
    """

    name: str
    public: str
    expires: str = ""
    revoked: str = ""

    def check(self, at: datetime) -> None:
        """Refuse a key that is not trusted at a moment.

        Raises:
            Refused: It has expired or was revoked.
        """
        if self.revoked:
            raise Refused(
                f"The key {self.name!r} was revoked on {self.revoked}.", remedy="sign again with another"
            )
        if self.expires and at >= moment(self.expires):
            raise Refused(
                f"The key {self.name!r} expired on {self.expires}.", remedy="sign again with another"
            )


@dataclass(frozen=True, slots=True)
class Keyring:
    """Trusted keys by id; what is not in it is not trusted."""

    keys: tuple[TrustedKey, ...] = ()

    def key(self, identity: str, at: datetime) -> PublicKey:
        """The key with an id, if it is trusted at a moment.

        Raises:
            Refused: It is unknown, has expired or was revoked.
        """
        for entry in self.keys:
            public = read_public_key(entry.public)
            if public.id == identity:
                entry.check(at)
                return public
        raise Refused(
            f"The key {identity[:16]} is not in the keyring.",
            expected=", ".join(entry.name for entry in self.keys) or "a keyring with a key in it",
            remedy="add its public key with gambeson key trust, if you know whose it is",
        )

    def trusted(self, at: datetime) -> list[PublicKey]:
        """Every key that is trusted at a moment."""
        found = []
        for entry in self.keys:
            with contextlib.suppress(Refused):
                entry.check(at)
                found.append(read_public_key(entry.public))
        return found

    def name(self, identity: str) -> str:
        """What people call a key; its id where it is unknown."""
        names = (entry.name for entry in self.keys if read_public_key(entry.public).id == identity)
        return next(names, identity[:16])

    def trusting(self, entry: TrustedKey) -> Keyring:
        """The keyring with one more key.

        Raises:
            UsageError: Its name is taken, or the key is there already, or its time cannot be read.
        """
        identity = read_public_key(entry.public).id
        if entry.expires:
            moment(entry.expires)
        for other in self.keys:
            if other.name == entry.name or read_public_key(other.public).id == identity:
                raise UsageError(
                    f"The keyring has {other.name!r} already.", remedy="choose another name or key"
                )
        return Keyring((*self.keys, entry))

    def revoking(self, name: str, at: datetime) -> Keyring:
        """The keyring without trust in a key; its entry stays, so that its signatures are named.

        Raises:
            UsageError: There is no such key.
        """
        if name not in {entry.name for entry in self.keys}:
            raise UsageError(
                f"The keyring has no key {name!r}.", expected=", ".join(k.name for k in self.keys)
            )
        stamp = at.isoformat(timespec="seconds")
        return Keyring(tuple(replace(k, revoked=stamp) if k.name == name else k for k in self.keys))

    def to_json(self) -> bytes:
        """As a file holds it."""
        return (json.dumps({"keys": [asdict(entry) for entry in self.keys]}, indent=1) + "\n").encode()


def moment(text: str) -> datetime:
    """An ISO date or moment; without a time zone it is meant in UTC.

    Raises:
        UsageError: It is neither.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no date.", expected="2027-03-31, or 2027-03-31T12:00:00+00:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_keyring(path: Path) -> Keyring:
    """The keyring in a file.

    Raises:
        UsageError: The file cannot be read.
        IntegrityError: It holds no keyring.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The keyring {path} cannot be read: {error.strerror}.",
            remedy="make a key with gambeson key new, or trust one with gambeson key trust",
        ) from None
    try:
        entries = parse(content, "a keyring")["keys"]
        keyring = Keyring(tuple(TrustedKey(**entry) for entry in entries))
        for entry in keyring.keys:
            read_public_key(entry.public)
    except (KeyError, TypeError, AttributeError, UsageError):
        raise IntegrityError(f"{path} is no keyring.", expected="what gambeson key writes") from None
    return keyring
