from gambeson.defenses.poisoning.confusion import Confusion
from tests.poison_worlds import poisoned_inspection, separation


def test_rows_with_a_trigger_stand_out():
    seen, bad = poisoned_inspection()
    assert separation(Confusion().suspicion(seen), bad) > 0.9
