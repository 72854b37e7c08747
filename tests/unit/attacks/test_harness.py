from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.base import evasion
from gambeson.attacks.evasion.apgd import APGD
from gambeson.attacks.evasion.pgd import PGD
from gambeson.attacks.evasion.square import Square
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.errors import AccessDenied, ModelError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import TensorModel, perceptron

SCHEMA = Schema((1, 6, 6), ("a", "b", "c", "d"))


def samples(n=40):
    x = torch.rand(n, 1, 6, 6, generator=torch.Generator().manual_seed(3))
    return Samples(x, Passes(perceptron()).scores(x).argmax(1), np.arange(100, 100 + n))


def attack(method, *, name=None, eps=0.03, model=None, given=None, budget=None, **run):
    name = name or type(method).__name__.lower()
    space = PerturbationSet.of(ThreatModel(Norm.LINF, eps), SCHEMA)
    given = samples() if given is None else given
    passes = Passes(model or perceptron())
    run.setdefault("seed", Seed(0).child("x"))
    return run_attack(method, evasion[name].facts, passes, given, space, budget=budget, run=Run(**run))


def test_fallen_samples_are_dropped_and_stop_costing_queries():
    rows = []

    class Watched(TensorModel):
        def forward(self, x):
            rows.append(len(x))
            return super().forward(x)

    tiny = perceptron()
    found = attack(PGD(steps=30), eps=0.1, model=Watched(tiny.module, (1, 6, 6), 4))
    assert 0 < found.fallen.sum() < 40
    assert rows[0] == 40
    assert rows[-2] < 40  # the last pass verifies the successes
    assert found.queries[found.fallen].max() <= 31
    assert set(found.queries[~found.fallen]) == {31}


def test_successes_hold_on_the_untouched_model_and_lie_in_the_ball():
    found, given = attack(APGD(steps=30)), samples()
    scores = perceptron().scores(found.adversarial)
    assert ((scores.argmax(1) != given.y.numpy()) == found.fallen).all()
    assert np.abs(found.adversarial - given.x.numpy()).max() <= 0.03 + 1e-6
    assert found.refuted == 0


def test_claims_of_a_model_that_answers_differently_each_time_are_refuted():
    calls = itertools.count()

    class Fickle(TensorModel):
        def forward(self, x):
            flip = -1.0 if next(calls) == 1 else 1.0
            return flip * super().forward(x)

    tiny = perceptron()
    found = attack(PGD(steps=2), eps=1e-6, model=Fickle(tiny.module, (1, 6, 6), 4))
    assert found.refuted > 0
    assert not found.fallen.any()


def test_a_budget_cuts_the_attack_and_nothing_is_overspent():
    found = attack(Square(queries=500), budget=9)
    assert found.queries.max() == 9
    assert not found.overspent


def test_no_samples_is_no_work():
    found = attack(PGD(), given=samples().select(torch.arange(0)))
    assert len(found.fallen) == 0


def test_nan_in_the_middle_is_an_error_not_a_robust_sample():
    class Sick(TensorModel):
        def forward(self, x):
            return super().forward(x) * torch.where(
                x.flatten(1).amax(1, keepdim=True) > 0.999, torch.nan, 1.0
            )

    tiny = perceptron()
    with pytest.raises(ModelError, match="NaN"):
        attack(PGD(steps=20), eps=0.3, model=Sick(tiny.module, (1, 6, 6), 4))


class Ticking:
    """A clock that moves a second at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("pgd", PGD(steps=30)),
        ("apgd", APGD(steps=12, loss="targeted_dlr", targets=3)),
        ("square", Square(60)),
    ],
)
@pytest.mark.parametrize("stop", [3, 11, 25])
def test_an_attack_stopped_in_the_middle_and_resumed_finds_the_same(tmp_path, name, method, stop):
    whole = attack(method, name=name)
    journal = FileJournal(tmp_path)
    cut = attack(method, name=name, journal=journal, deadline=float(stop), clock=Ticking())
    assert cut.unfinished > 0
    resumed = attack(method, name=name, journal=FileJournal(tmp_path))
    for field in ("fallen", "adversarial", "queries", "margin"):
        assert np.array_equal(getattr(whole, field), getattr(resumed, field)), field


def test_a_finished_attack_is_taken_from_the_journal_without_a_query(tmp_path):
    whole = attack(PGD(steps=5), journal=FileJournal(tmp_path))

    class Silent(TensorModel):
        def forward(self, x):
            raise AssertionError("queried again")

    tiny = perceptron()
    again = attack(PGD(steps=5), journal=FileJournal(tmp_path), model=Silent(tiny.module, (1, 6, 6), 4))
    assert np.array_equal(whole.adversarial, again.adversarial)


def test_what_fell_before_the_deadline_counts():
    cut = attack(PGD(steps=30), eps=0.1, deadline=6.0, clock=Ticking())
    assert cut.unfinished > 0 or cut.fallen.all()
    assert cut.fallen.any()


def test_work_reported_is_the_work_planned():
    work = []
    attack(PGD(steps=10), eps=0.05, report=lambda done, fallen: work.append(done))
    assert sum(work) == 40 * 11


def test_undeclared_access_is_denied():
    from dataclasses import replace

    from gambeson.core.threat import Access

    facts = replace(evasion["pgd"].facts, access=Access.SCORES)
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 0.1), SCHEMA)
    with pytest.raises(AccessDenied, match="gradient"):
        run_attack(PGD(), facts, Passes(perceptron()), samples(), space, run=Run(Seed(0)))
