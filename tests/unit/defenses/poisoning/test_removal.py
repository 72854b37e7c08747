import copy

import pytest
import torch

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.poisoning.removal import BackdoorRemoval, Tried, _best, remove_backdoor
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.poison_worlds import PICTURES, backdoored, pictures, predict, triggered_pictures


def network() -> Trainee:
    return Trainee(copy.deepcopy(backdoored()), "cpu", Answer("logits", single=False))


def test_the_backdoor_is_removed_and_the_given_network_left_as_it_is():
    given = network()
    before = {name: value.clone() for name, value in given.module.state_dict().items()}
    names = ("fine_tuning", "trigger_unlearning")
    made = remove_backdoor(given, pictures(300, seed=6), PICTURES, Seed(0), names=names)
    assert all(torch.equal(before[name], value) for name, value in given.module.state_dict().items())
    sent, _ = triggered_pictures()
    x, y = pictures(300, seed=8)
    assert (predict(made.network.module, sent) == 1).mean() < 0.3 < (predict(given.module, sent) == 1).mean()
    assert (predict(made.network.module, x) == y).mean() > 0.9
    assert [t.name for t in made.tried] == ["", *names]
    assert made.chosen in names


def test_the_choice():
    before = Tried("", 0.95, 1.0)
    assert _best([before, Tried("a", 0.94, 0.5), Tried("b", 0.93, 0.1), Tried("c", 0.5, 0.0)]) == "b"
    assert _best([before, Tried("a", 0.80, 0.5), Tried("b", 0.70, 0.1)]) == "a"
    assert _best([before, Tried("a", 0.94, 0.9), Tried("b", 0.88, 0.2)]) == "b"
    assert _best([before, Tried("a", 0.94, 0.11), Tried("b", 0.95, 0.12)]) == "b"
    assert _best([before, Tried("a", 0.0, 1.0, "not possible")]) == ""


def test_few_clean_rows_and_senseless_parameters_are_refused():
    with pytest.raises(InsufficientEvidence, match="30 clean rows"):
        remove_backdoor(network(), pictures(30), PICTURES, Seed(0))
    with pytest.raises(UsageError):
        BackdoorRemoval(rows=3)
    with pytest.raises(UsageError, match="fine_tunig"):
        BackdoorRemoval(repairs="fine_tunig")
    assert BackdoorRemoval(repairs="fine_tuning, sharpness").names == ("fine_tuning", "sharpness")
