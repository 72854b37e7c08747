import pytest

from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.max_margin import Climb
from gambeson.defenses.poisoning.model_scan import ScanEffort, scan_model
from gambeson.defenses.poisoning.shortcut import Descent
from gambeson.defenses.poisoning.trigger_search import Search
from tests.poison_worlds import PatchModel, pictures
from tests.tiny_models import linear

SCHEMA = Schema((1, 8, 8), tuple("abcdef"))
QUICK = ScanEffort(Search(steps=120), Climb(3, 40), Descent(steps=80))


def test_a_backdoor_is_named_and_an_honest_model_is_not():
    x, _ = pictures(64)
    said: list[str] = []
    found = scan_model(PatchModel(strength=60.0), x, SCHEMA, QUICK, Seed(0), said.append)
    honest = scan_model(PatchModel(strength=0.0), x, SCHEMA, QUICK, Seed(0))
    assert found.label == 2
    assert found.p < 0.05 < honest.p
    assert len(said) == 3
    assert found.p <= 3 * found.tests[0].p + 1e-12


def test_two_classes_are_too_few():
    with pytest.raises(InsufficientEvidence):
        scan_model(
            linear([[1.0], [-1.0]]), pictures(4)[0][:, 0, 0, :1], Schema((1,), ("a", "b")), QUICK, Seed(0)
        )
