"""What every inversion attack is held to."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.privacy.inversion.base import inversions
from tests.inversion_worlds import oracle_for, shows, task_for

WANTED = [0, 0, 1, 3]
ENTRIES = pytest.mark.parametrize("entry", list(inversions), ids=lambda entry: entry.name)
KINDS = pytest.mark.parametrize("table", [False, True], ids=["pictures", "table"])


def reconstruct(entry, task, **changes):
    oracle = oracle_for(task, entry.facts.access, **changes)
    return entry.plugin().reconstruct(oracle, task), oracle


@ENTRIES
@KINDS
def test_finds_a_plain_pattern_of_which_it_holds_no_example(entry, table):
    task = task_for(WANTED, table=table)
    found, _ = reconstruct(entry, task)
    right = sum(a == b for a, b in zip(shows(found), WANTED, strict=True))
    assert right >= 3


@ENTRIES
def test_finds_nothing_in_a_model_that_answers_the_same_to_all(entry):
    task = task_for([1, 2, 3, 4])
    found, _ = reconstruct(entry, task, blind=True)
    right = sum(a == b for a, b in zip(shows(found), [1, 2, 3, 4], strict=True))
    assert right <= 2


@ENTRIES
@KINDS
def test_gives_one_valid_input_for_each_wish(entry, table):
    task = task_for(WANTED, table=table)
    found, _ = reconstruct(entry, task)
    assert found.shape == (4, *task.space.shape)
    assert ((found >= 0) & (found <= 1)).all()
    assert not table or (found == found.round()).all()


@ENTRIES
def test_the_same_seed_gives_the_same_and_torch_s_global_stream_stays(entry):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, _ = reconstruct(entry, task_for(WANTED))
    assert torch.equal(torch.rand(1), expected)
    two, _ = reconstruct(entry, task_for(WANTED))
    assert torch.equal(one, two)


@ENTRIES
def test_leaves_the_public_inputs_alone(entry):
    task = task_for(WANTED)
    before = task.public.clone()
    reconstruct(entry, task)
    assert torch.equal(task.public, before)


@ENTRIES
@pytest.mark.parametrize("budget", [1, 70])
def test_keeps_to_its_budget(entry, budget):
    _, oracle = reconstruct(entry, task_for(WANTED), budget=budget)
    assert not oracle.overspent
    assert int(oracle.queries.max()) <= budget
