from gambeson.defenses.poisoning.repair.implicit_unlearning import ImplicitUnlearning
from tests.poison_worlds import backdoored, predict, repaired, triggered_pictures


def test_the_trigger_works_less_and_accuracy_stays():
    before = (predict(backdoored(), triggered_pictures()[0]) == 1).mean()
    accuracy, success = repaired(ImplicitUnlearning())
    assert before > 0.9
    assert accuracy > 0.9
    assert success < 0.9
