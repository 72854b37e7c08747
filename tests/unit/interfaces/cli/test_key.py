"""Keys are made, trusted, listed and revoked from the command line."""

from __future__ import annotations

import json
import stat


def test_a_key_is_made_for_its_owner_alone_and_trusted(call, place):
    code, out, _ = call("key", "new", "release", "--expires", "2030-01-01")
    assert (code, "keep it secret" in out) == (0, True)
    assert stat.S_IMODE((place / "release.key").stat().st_mode) == 0o600
    (row,) = json.loads(call("key", "list", "--json")[1])
    assert (row["name"], row["expires"]) == ("release", "2030-01-01")


def test_nothing_is_overwritten(call, place):
    call("key", "new", "release")
    before = (place / "release.key").read_bytes()
    code, _, err = call("key", "new", "release")
    assert (code, "exists" in err) == (2, True)
    assert (place / "release.key").read_bytes() == before


def test_anothers_key_is_trusted_and_revoked(call, place):
    call("key", "new", "ann", "--kind", "ed25519", "--keyring", "hers.json")
    assert call("key", "trust", "ann", "file:ann.pub")[0] == 0
    assert call("key", "revoke", "ann")[0] == 0
    assert "revoked" in call("key", "list")[1]
    assert call("key", "revoke", "bob")[0] == 2


def test_an_encrypted_key_takes_its_password_from_the_environment(call, place, monkeypatch):
    monkeypatch.setenv("WORD", "secret")
    assert call("key", "new", "release", "--password", "env:WORD")[0] == 0
    assert b"ENCRYPTED" in (place / "release.key").read_bytes()
    assert call("sign", "model.py", "--key", "file:release.key")[0] == 2
    assert call("sign", "model.py", "--key", "file:release.key?password=env:WORD")[0] == 0
    assert call("key", "new", "other", "--password", "plain")[0] == 2


def test_a_key_that_has_expired_already_is_not_made_and_not_trusted(call, place):
    code, _, err = call("key", "new", "old", "--expires", "2020-01-01")
    assert (code, "is past" in err, (place / "old.key").exists()) == (2, True, False)
