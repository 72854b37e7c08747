import pickle

from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL


def test_a_call_is_found_and_values_are_not():
    assert rules_of(EVIL, "m.pkl") == {"scan.pickle.dangerous"}
    assert rules_of(pickle.dumps({"a": [1]}), "m.pkl") == set()
