"""What is signed is about the version that it names."""

from __future__ import annotations

import json

import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.service.attesting import attest_audit, audits_of, sign_version
from gambeson.supply.keyring import Keyring, TrustedKey
from gambeson.supply.statements import verify_statement
from tests.trace_world import TraceWorld
from tests.trust import NOW, new_key


@pytest.fixture
def world(tmp_path):
    return TraceWorld(tmp_path)


def test_an_audit_is_signed_with_its_figures_and_its_data_version(world):
    version = world.released()
    (audit,) = audits_of(world.space, version)
    signed = verify_statement(world.space.store.document(audit.document), world.space.keyring(), NOW)
    assert signed.statement.predicate == audit.predicate
    assert audit.predicate["data"]["versions"] == ["people@1"]
    assert audit.predicate["gate"]["outcome"] == "OPEN"
    first = audit.predicate["figures"][0]
    assert first["interval"][0] <= first["value"] <= first["interval"][1]
    assert (
        json.loads(world.space.store.document(audit.report))["model"]["digest"]
        == f"sha256:{version.digest[1]}"
    )


def test_a_report_of_another_model_is_refused(world):
    world.data()
    version = world.model()
    other = world.model('{"learner": 2}')
    with pytest.raises(UsageError, match="is of a model with the digest"):
        attest_audit(world.space, version, world.report(other), world.key)
    with pytest.raises(IntegrityError):
        attest_audit(world.space, version, b"{}", world.key)


def test_a_dataset_gets_provenance_and_a_model_its_signature_too(world):
    data = world.data(signed=False)
    model = world.model(signed=False)
    edwards = new_key("e", "ed25519")
    with pytest.raises(Refused, match="not in the keyring"):
        sign_version(world.space, data, edwards)
    both = Keyring((TrustedKey("release", world.key.public.pem), TrustedKey("edwards", edwards.public.pem)))
    world.places.keyring.write_bytes(both.to_json())
    assert sign_version(world.space, data, edwards) == ("provenance",)
    assert sign_version(world.space, model, world.key) == ("provenance", "signature")
    with pytest.raises(UsageError, match="Ed25519"):
        sign_version(world.space, model, edwards)


def test_changed_content_is_not_signed(world):
    data = world.data(signed=False)
    store = world.space.store
    path = store.objects._path(store.tree(data.tree).pieces[0].name)
    path.chmod(0o644)
    path.write_bytes(b"other")
    with pytest.raises(IntegrityError):
        sign_version(world.space, data, world.key)
