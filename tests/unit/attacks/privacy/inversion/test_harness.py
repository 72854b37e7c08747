"""The harness: who holds what, journal, time, shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.inversion.base import InversionFacts
from gambeson.attacks.privacy.inversion.harness import Plan, run_inversion
from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.core.errors import AccessDenied, UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.passes import Passes
from tests.inversion_worlds import SCHEMA, PatternModel, examples, patterns

X, Y = examples(100)
PLAN = Plan((0, 1, 2), 2, X, Y, space_of(SCHEMA, X), 3)
LABELS = InversionFacts(Access.LABELS, 1, "none")


@dataclass(frozen=True)
class Planted:
    """Notes what it was given, asks once, and answers with a constant."""

    seen: list
    value: float = 0.5

    def reconstruct(self, oracle, task):
        self.seen.append(task)
        x = torch.full((len(task.classes), *task.space.shape), self.value)
        oracle.labels(torch.zeros_like(x))
        return x


def run(attack, facts=LABELS, plan=PLAN, **changes):
    given = Run(**{"seed": Seed(0), "key": "check", **changes})
    return run_inversion(lambda: attack, "planted", facts, Passes(PatternModel()), plan, given)


def test_nobody_who_wants_a_class_holds_inputs_of_it():
    seen: list = []
    found = run(Planted(seen))
    assert found.classes.tolist() == [0, 0, 2, 2, 1, 1]
    assert found.queries == 6
    for task, group in zip(seen, ([0, 2], [1]), strict=True):
        hidden = sum(int((c == Y).sum()) for c in group)
        assert len(task.public) == len(X) - hidden
        near = torch.cdist(task.public.flatten(1), patterns().flatten(1)).argmin(1)
        assert not torch.isin(near, torch.tensor(group)).any()


def test_a_resumed_run_reconstructs_nothing_anew(tmp_path):
    journal, seen = FileJournal(tmp_path), []
    first = run(Planted(seen), journal=journal)
    again = run(Planted(seen, value=0.9), journal=journal)
    assert len(seen) == 2
    assert torch.equal(again.x, first.x)
    assert again.queries == first.queries


def test_time_that_runs_out_leaves_classes_out():
    ticks = iter([0.0, 2.0])
    found = run(Planted([]), deadline=1.0, clock=lambda: next(ticks))
    assert (len(found.x), found.unfinished) == (4, 1)
    assert run(Planted([]), deadline=1.0, clock=lambda: 1.0) is None


def test_too_few_public_inputs():
    assert run(Planted([]), facts=replace(LABELS, least_public=1_000)) is None


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_what_is_out_of_bounds_is_refused(value):
    with pytest.raises(UsageError, match="outside the bounds"):
        run(Planted([], value=value))


def test_no_more_access_than_declared():
    class Curious:
        def reconstruct(self, oracle, task):
            return oracle.scores(torch.zeros(len(task.classes), *task.space.shape))

    with pytest.raises(AccessDenied):
        run(Curious())
