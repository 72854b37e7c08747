from gambeson.defenses.poisoning.trusted_gap import TrustedGap
from tests.poison_worlds import poisoned_inspection, separation


def test_rows_with_a_trigger_stand_out():
    seen, bad = poisoned_inspection()
    assert separation(TrustedGap().suspicion(seen), bad) > 0.9
