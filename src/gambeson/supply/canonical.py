"""JSON with one spelling: what is signed or chained has exactly one form in bytes, and any other form is refused."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from gambeson.core.errors import IntegrityError


def encode(value: object) -> bytes:
    """The one spelling of a value: names sorted, no white space, UTF-8.

    Raises:
        ValueError: A number is not finite, or the value is not JSON.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def decode(content: bytes, what: str) -> Any:
    """Read a value and insist on its one spelling.

    Args:
        content: What :func:`encode` wrote.
        what: What it should be, for the message: ``"a signed statement"``.

    Raises:
        IntegrityError: It is no JSON, names something twice, or is spelt in another way.
    """
    value = parse(content, what)
    if encode(value) != content:
        raise IntegrityError(f"This is not {what} as it was written: its bytes are spelt in another way.")
    return value


def parse(content: bytes, what: str) -> Any:
    """Read JSON of any spelling; a name that occurs twice is refused, for readers disagree about its meaning.

    Raises:
        IntegrityError: It is no JSON, or ambiguous.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"This is not {what}: {error}.") from None


def encode_base64(content: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(content).decode("ascii")


def decode_base64(text: object, what: str) -> bytes:
    """Read base64 in its one spelling: unused bits are zero, no character is skipped.

    Raises:
        IntegrityError: It is spelt in another way, or no text at all.
    """
    try:
        content = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not isinstance(text, str) or encode_base64(content) != text:
        raise IntegrityError(f"The {what} is not base64 as it was written.")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
