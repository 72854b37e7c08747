"""The gate: open when everything verifies, and each thing that does not is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gambeson.core.errors import Unavailable
from gambeson.supply.lineage import Lineage
from tests.registry_world import World
from tests.trust import NOW, new_key, ring


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_model_with_everything_passes(world):
    assert world.refusals(world.released()) == {}


def test_a_bare_model_is_refused_for_each_thing_that_is_missing(world):
    data = world.add("dataset", "people", b"rows")
    model = world.add("model", "churn", b"weights", Lineage(inputs=(data.ref,)))
    assert world.refusals(model) == {
        "signature of churn@1": "there is no signature",
        "provenance of churn@1": "there is no provenance",
        "audit of churn@1": "there is no audit",
        "provenance of people@1": "there is no provenance",
    }


def test_a_closed_audit_refuses_and_the_newest_counts(world):
    model = world.released()
    world.audit(model, "evasion.gradient failed")
    assert "the audit closes the gate: evasion.gradient failed" in world.refusals(model)["audit of churn@1"]
    world.audit(model)
    assert world.refusals(model) == {}


def test_a_scan_that_finds_something_or_cannot_run_refuses(world):
    model = world.released()
    world.problems = ["weights.pkl calls os.system"]
    assert world.refusals(model) == {
        "scan of churn@1": "weights.pkl calls os.system",
        "scan of people@1": "weights.pkl calls os.system",
    }

    def broken(_):
        raise Unavailable("no scanner")

    gate = world.gatekeeper()
    gate = replace(gate, scan=broken)
    assert [r.reason for r in gate.judge(model) if not r.holds] == ["no scanner"] * 2


def test_a_source_that_changed_refuses_and_one_out_of_reach_is_told(world):
    model = world.released()
    world.source = ("sha256", "cd" * 32)
    (reason,) = world.refusals(model).values()
    assert "the source raw.csv changed" in reason
    world.source = None
    told = [r for r in world.gatekeeper().judge(model) if "not looked at again: raw.csv" in r.reason]
    assert [(r.subject, r.holds) for r in told] == [("people@1", True)]


def test_a_changed_piece_of_an_input_refuses(world):
    model = world.released()
    tree = world.store.tree(world.registry.version("people@1").tree)
    world.objects.pieces[tree.pieces[0].name] = b"\x00other"
    assert list(world.refusals(model)) == ["content of people@1"]


def test_an_unknown_expired_or_revoked_key_refuses_all_that_it_signed(world):
    model = world.released()
    signed = {"signature of churn@1", "provenance of churn@1", "audit of churn@1", "provenance of people@1"}
    for keyring in (
        ring(new_key("other")),
        ring(new_key(), expires="2026-05-01T12:00"),
        world.keyring.revoking("key0", NOW),
    ):
        world.keyring = keyring
        assert set(world.refusals(model)) == signed
    world.keyring, world.at = ring(new_key(), expires="2026-05-02"), NOW + timedelta(days=2)
    assert set(world.refusals(model)) == signed


def test_a_document_about_another_version_does_not_count(world):
    model = world.released()
    other = world.add("model", "churn", b"other weights", Lineage(inputs=("people@1",)))
    for item in world.registry.attached(model):
        world.registry.attach(other, item.type, item.document)
    assert {name.partition(" ")[0] for name in world.refusals(other)} == {"signature", "provenance", "audit"}


def test_a_lost_document_refuses(world):
    model = world.released()
    document = next(a.document for a in world.registry.attached(model) if a.type == "audit")
    del world.objects.pieces[document]
    assert list(world.refusals(model)) == ["audit of churn@1"]


def test_a_provenance_that_hides_an_input_does_not_count(world):
    data = world.add("dataset", "people", b"rows")
    world.vouch(data)
    model = world.add("model", "churn", b"weights", Lineage(inputs=("people@1",)))
    bare = Lineage()
    from gambeson.supply.lineage import provenance
    from gambeson.supply.statements import sign_statement

    world.attach(model, "provenance", sign_statement(provenance(model.subject, bare, [], "ann"), new_key()))
    assert "differs from the recorded one" in world.refusals(model)["provenance of churn@1"]
