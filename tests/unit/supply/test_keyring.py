"""A key counts while the keyring trusts it, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.supply.keyring import Keyring, TrustedKey, moment, read_keyring
from tests.trust import NOW, new_key, ring


def test_a_trusted_key_is_found_and_named():
    key = new_key()
    assert ring(key).key(key.public.id, NOW) == key.public
    assert ring(key).name(key.public.id) == "key0"
    assert ring().name(key.public.id) == key.public.id[:16]


def test_an_unknown_key_is_refused():
    with pytest.raises(Refused, match="not in the keyring"):
        ring(new_key()).key(new_key("other").public.id, NOW)


def test_a_key_expires_at_its_moment_and_not_before():
    key = new_key()
    keyring = ring(key, expires="2026-05-01T12:00:00+00:00")
    assert keyring.key(key.public.id, NOW - timedelta(seconds=1))
    with pytest.raises(Refused, match="expired"):
        keyring.key(key.public.id, NOW)


def test_a_revoked_key_counts_at_no_time():
    key = new_key()
    keyring = ring(key).revoking("key0", NOW)
    with pytest.raises(Refused, match="revoked"):
        keyring.key(key.public.id, NOW - timedelta(days=900))
    with pytest.raises(UsageError, match="no key"):
        keyring.revoking("other", NOW)


def test_a_name_and_a_key_are_trusted_once():
    key, other = new_key(), new_key("other")
    for entry in (TrustedKey("key0", other.public.pem), TrustedKey("more", key.public.pem)):
        with pytest.raises(UsageError, match="already"):
            ring(key).trusting(entry)
    assert len(ring(key).trusting(TrustedKey("more", other.public.pem, "2027-01-01")).keys) == 2
    with pytest.raises(UsageError, match="no date"):
        Keyring().trusting(TrustedKey("a", key.public.pem, "soon"))


def test_a_file_gives_the_keyring_back(tmp_path):
    path = tmp_path / "keys.json"
    path.write_bytes(ring(new_key(), new_key("other"), expires="2027-01-01").to_json())
    assert read_keyring(path) == ring(new_key(), new_key("other"), expires="2027-01-01")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys":[{"name":1}]}', '{"keys":[{"name":"a","public":"b"}]}']
)
def test_another_file_is_no_keyring(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(IntegrityError):
        read_keyring(path)


def test_a_missing_keyring_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="gambeson key new"):
        read_keyring(tmp_path / "keys.json")


def test_a_date_without_a_zone_is_in_utc():
    assert moment("2026-05-01T12:00") == NOW
