"""One value, one spelling."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import IntegrityError
from gambeson.supply.canonical import decode, decode_base64, encode, encode_base64, parse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_written_is_read_back_in_the_same_bytes(value):
    assert encode(decode(encode(value), "a value")) == encode(value)


def test_names_are_sorted_and_nothing_is_spaced():
    assert encode({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'.encode()


@pytest.mark.parametrize("text", [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":"\\u0061"}', b'{"a":1}\n', b"1.0e0"])
def test_another_spelling_is_refused(text):
    json.loads(text)
    with pytest.raises(IntegrityError, match="spelt in another way"):
        decode(text, "a value")


@pytest.mark.parametrize("text", [b'{"a":1,"a":1}', b"{", b"\xff", b"NaN", b"[" * 100_000])
def test_what_is_ambiguous_or_no_json_is_refused(text):
    with pytest.raises(IntegrityError, match="not a value"):
        parse(text, "a value")


@given(st.binary(max_size=20))
def test_base64_comes_back(content):
    assert decode_base64(encode_base64(content), "x") == content


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", "Q Q==", "é", 5, None])
def test_another_spelling_of_base64_is_refused(text):
    with pytest.raises(IntegrityError):
        decode_base64(text, "signature")


def test_what_json_cannot_hold_is_a_bug():
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(float("nan"))
