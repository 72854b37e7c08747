"""Keys and keyrings for the tests of signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gambeson.supply.keyring import Keyring, TrustedKey
from gambeson.supply.keys import PrivateKey, make_key, open_private_key

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def new_key(name: str = "release", kind: str = "p256") -> PrivateKey:
    """A key pair; the same one for the same name."""
    return _made(name, kind)


@cache
def _made(name: str, kind: str) -> PrivateKey:
    pem, _ = make_key(kind)
    return open_private_key("env:KEY", {"KEY": pem.decode()})


def ring(*keys: PrivateKey, expires: str = "") -> Keyring:
    """A keyring that trusts some keys."""
    return Keyring(tuple(TrustedKey(f"key{i}", key.public.pem, expires) for i, key in enumerate(keys)))


def flips(content: bytes, masks: tuple[int, ...] = (0x01,)):
    """The content with one byte changed, for every byte and mask."""
    for place in range(len(content)):
        for mask in masks:
            yield content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def write_tree(root: Path, files: dict[str, bytes]) -> Path:
    """A folder with files."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root
