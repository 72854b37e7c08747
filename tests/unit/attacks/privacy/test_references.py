"""Reference models are trained in pairs on complementary halves, once, within the deadline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.adapters.executor_local import LocalProcesses
from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.attacks.privacy.references import (
    Training,
    draw_half,
    no_references,
    train_references,
    work_to_train,
)
from gambeson.core.ports import NoJournal, SameProcess
from gambeson.core.reproduce import Seed
from tests.membership_worlds import Nearest, records

POOL = draw_pool(records(60, 1), records(50, 2), 100, Seed(0))


class Kept(dict):
    """A journal in memory."""

    load = dict.get

    def save(self, key, arrays):
        self[key] = dict(arrays)


def target():
    return Nearest(*POOL.take(np.arange(60)))


def train(model, count=4, *, executor=None, cache=None, **run):
    training = Training(64, executor or SameProcess(), NoJournal() if cache is None else cache)
    return train_references(model, POOL, count, training, Run(Seed(0).child("references"), **run))


def test_every_record_is_in_exactly_half_of_the_models():
    found = train(target(), 6)
    assert found.answers.shape == (*found.included.shape, 4) == (6, 110, 4)
    assert (found.included.sum(0) == 3).all()
    np.testing.assert_array_equal(found.included[0::2], ~found.included[1::2])


def test_a_model_knows_the_records_that_it_is_said_to_be_trained_on():
    found = train(target())
    assert (found.confidence(POOL.labels)[found.included] > -1e-3).all()
    assert (found.confidence(POOL.labels)[~found.included] < -0.1).mean() > 0.9


def test_halves_and_seeds_differ_between_models():
    model = target()
    found = train(model, 6)
    assert len(set(model.fits)) == 6
    assert len({row.tobytes() for row in found.included}) == 6


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 50))
def test_a_half_holds_half_of_each_class(labels, seed):
    labels = np.array(labels)
    half = draw_half(labels, Seed(seed))
    for one in np.unique(labels):
        inside, outside = (labels[half] == one).sum(), (labels[~half] == one).sum()
        assert abs(inside - outside) <= 1


def test_a_half_does_not_depend_on_membership():
    shares = [draw_half(POOL.labels, Seed(seed))[POOL.truth].mean() for seed in range(200)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)


def test_the_same_seed_gives_the_same_references():
    np.testing.assert_array_equal(train(target()).answers, train(target()).answers)


def test_resuming_trains_nothing_twice():
    journal, first, second = Kept(), target(), target()
    before = train(first, journal=journal, key="check")
    after = train(second, journal=journal, key="check")
    assert (len(first.fits), len(second.fits)) == (4, 0)
    np.testing.assert_array_equal(before.answers, after.answers)
    np.testing.assert_array_equal(before.included, after.included)


def test_resuming_goes_on_where_it_stopped():
    journal, model = Kept(), target()
    whole = train(target(), journal=journal)
    for number in (1, 3):
        del journal[f"attack/reference/{number}"]
    np.testing.assert_array_equal(train(model, journal=journal).answers, whole.answers)
    assert len(model.fits) == 2


def test_journalled_scores_of_another_pool_are_not_used():
    journal, model = Kept({"attack/reference/0": {"answers": np.zeros((7, 4))}}), target()
    assert train(model, journal=journal).answers.shape == (4, 110, 4)
    assert len(model.fits) == 4


class Ticking:
    """A clock on which every fit takes ten seconds."""

    def __init__(self, model):
        self.model = model

    def __call__(self):
        return 10.0 * len(self.model.fits)


@pytest.mark.parametrize(
    ("deadline", "kept", "trained"), [(0, 0, 0), (10, 0, 1), (25, 2, 2), (35, 2, 3), (99, 4, 4)]
)
def test_the_deadline_leaves_whole_pairs(deadline, kept, trained):
    model = target()
    found = train(model, deadline=deadline, clock=Ticking(model))
    assert (len(found.answers), len(model.fits), found.planned) == (kept, trained, 4)


def test_what_the_journal_holds_costs_no_time():
    journal = Kept()
    train(target(), journal=journal)
    model = target()
    assert len(train(model, journal=journal, deadline=0, clock=Ticking(model)).answers) == 4


def test_progress_adds_up_to_the_plan():
    done = []
    train(target(), report=lambda work, _: done.append(work))
    assert sum(done) == work_to_train(len(POOL), 4)


def test_an_odd_number_is_rounded_down():
    assert len(train(target(), 3).answers) == 2
    assert len(train(target(), 1).answers) == 0


def test_no_references_fit_any_pool():
    nothing = no_references(5)
    assert nothing.answers.shape[:2] == nothing.included.shape == (0, 5)


def named(name="nearest-v1"):
    """A target that says what it is, so that its references may be reused."""
    model = target()
    model.info = replace(model.info, digest=name)
    return model


def test_another_run_reuses_what_the_cache_holds():
    cache, first, second = Kept(), named(), named()
    before, after = train(first, cache=cache), train(second, cache=cache)
    assert (len(first.fits), len(second.fits)) == (4, 0)
    assert (before.reused, after.reused) == (0, 4)
    np.testing.assert_array_equal(before.answers, after.answers)


def test_another_model_other_records_or_another_seed_reuse_nothing():
    cache = Kept()
    train(named(), cache=cache)
    other_pool = draw_pool(records(60, 1), records(50, 3), 100, Seed(0))
    run = Run(Seed(0).child("references"))
    assert train(named("nearest-v2"), cache=cache).reused == 0
    assert train_references(named(), other_pool, 4, Training(64, cache=cache), run).reused == 0
    other_seed = Run(Seed(1).child("references"))
    assert train_references(named(), POOL, 4, Training(64, cache=cache), other_seed).reused == 0


def test_a_model_that_does_not_say_what_it_is_leaves_the_cache_alone():
    cache = Kept()
    train(target(), cache=cache)
    assert cache == {}


def test_processes_change_nothing():
    spread = train(named(), executor=LocalProcesses(2, worth=0))
    here = train(named())
    np.testing.assert_array_equal(spread.answers, here.answers)
    np.testing.assert_array_equal(spread.included, here.included)
