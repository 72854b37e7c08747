"""A model is promoted when all verifies, refused with each reason, let through by signature, and rolled back."""

from __future__ import annotations

import pytest

from gambeson.core.errors import Refused, Unavailable, UsageError
from gambeson.core.finding import Severity
from gambeson.service import promoting
from gambeson.service.promoting import AuditRules, promote, roll_back
from gambeson.supply.statements import verify_statement
from tests.trace_world import TraceWorld
from tests.trust import NOW, new_key
from tests.unit.audit.report.samples import EVASION


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(promoting, "scan_version", lambda *_: [])
    return TraceWorld(tmp_path)


def refusals(promotion):
    return {f"{item.name} of {item.subject}" for item in promotion.refused}


def test_a_released_model_is_promoted(world):
    world.released()
    done = promote(world.space, "churn@1", "production")
    assert (done.refused, done.move.number) == ((), 1)
    assert world.space.registry.version("churn@production").ref == "churn@1"


def test_an_audit_is_held_to_the_rules_here_and_not_to_its_own(world):
    world.data()
    version = world.model()
    world.audit(version, EVASION)
    assert refusals(promote(world.space, "churn@1", "production")) == {"audit of churn@1"}
    with pytest.raises(UsageError, match="fail-on never"):
        promote(world.space, "churn@1", "production", rules=AuditRules(None))
    done = promote(world.space, "churn@1", "production", key=world.key, rules=AuditRules(None))
    assert done.move.reason == "everything verified; audit held to fail-on never"
    broken = AuditRules(Severity.LOW, (("evasion.gradient.robust_accuracy", ">= 0.99"),))
    assert refusals(promote(world.space, "churn@1", "production", rules=broken)) == {"audit of churn@1"}


def test_a_tampered_source_refuses_and_names_itself(world):
    world.released()
    world.write("raw.csv", "tampered")
    refused = promote(world.space, "churn@1", "production")
    assert refused.move is None
    assert "raw.csv changed" in refused.refused[0].reason
    assert "churn" not in world.space.registry.aliases("churn")


def test_an_override_is_signed_and_says_what_was_known(world):
    world.data()
    world.model()
    with pytest.raises(UsageError, match="is signed"):
        promote(world.space, "churn@1", "production", override="urgent")
    with pytest.raises(Refused, match="not in the keyring"):
        promote(world.space, "churn@1", "production", override="urgent", key=new_key("stranger"))
    done = promote(world.space, "churn@1", "production", override="urgent", key=world.key)
    assert done.move.reason == "override: urgent"
    signed = verify_statement(world.space.store.document(done.move.document), world.space.keyring(), NOW)
    assert signed.statement.predicate["refused"] == ["audit of churn@1: there is no audit"]


def test_a_rollback_goes_back_step_by_step(world):
    world.data()
    for learner in (1, 2, 3):
        world.audit(world.model(f'{{"learner": {learner}}}'))
        promote(world.space, f"churn@{learner}", "production")
    assert roll_back(world.space, "churn", "production", "bad").number == 2
    assert roll_back(world.space, "churn", "production", "worse").number == 1
    with pytest.raises(UsageError, match="no other version"):
        roll_back(world.space, "churn", "production", "more")
    promote(world.space, "churn@3", "production")
    assert roll_back(world.space, "churn", "production", "again").number == 1


def test_only_models_are_promoted(world):
    world.data()
    with pytest.raises(UsageError, match="is a dataset"):
        promote(world.space, "people@1", "production")


def test_a_scan_reads_the_stored_files(tmp_path):
    world = TraceWorld(tmp_path)
    world.data()
    version = world.model()
    scanning = pytest.importorskip("gambeson.supply.scanning")
    assert scanning
    hostile = world.model("cos\nsystem\n(S'true'\ntR.")
    assert promoting.scan_version(world.space, hostile)
    assert promoting.scan_version(world.space, version) == []
    assert promoting.scan_version(world.space, world.space.registry.version("people@1")) == []


def test_without_a_scanner_nothing_passes(world, monkeypatch):
    monkeypatch.undo()

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(promoting.importlib, "import_module", missing)
    with pytest.raises(Unavailable):
        promoting.scan_version(world.space, world.released())


def test_the_strict_rules_close_at_high():
    assert AuditRules().fail_on is Severity.HIGH
