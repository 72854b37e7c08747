"""One tensor for many samples: the ascent, its deadline and its journal."""

from __future__ import annotations

import torch

from gambeson.attacks.harness import Run
from gambeson.attacks.shared import BATCH, clipped_cross_entropy, fit_shared
from gambeson.core.reproduce import Seed

TARGETS = torch.linspace(-1, 1, 2 * BATCH + 3)


class Towards:
    """Climbs -(value - mean of the targets)^2 inside [-10, 10]; notes what it is asked."""

    def __init__(self):
        self.seen = []

    def start(self):
        return torch.full((1,), 3.0)

    def slope(self, value, rows, step):
        self.seen.append((rows.tolist(), step))
        return -2 * (value - TARGETS[rows].mean())

    def move(self, value, direction, length):
        return (value + 0.03 * length * direction).clamp(-10, 10)


class Shelf:
    """A journal in memory."""

    def __init__(self):
        self.kept = {}

    def load(self, key):
        return self.kept.get(key)

    def save(self, key, arrays):
        self.kept[key] = {name: array.copy() for name, array in arrays.items()}


def test_it_climbs_to_the_common_optimum():
    fitted = fit_shared(Towards(), len(TARGETS), 60, Run(Seed(0)))
    assert abs(float(fitted.value) - float(TARGETS.mean())) < 0.1
    assert fitted.epochs == 60


def test_every_epoch_sees_every_sample_once_in_an_order_of_its_own():
    climb = Towards()
    fit_shared(climb, len(TARGETS), 2, Run(Seed(0)))
    epochs = [[row for rows, _ in climb.seen[i : i + 3] for row in rows] for i in (0, 3)]
    assert [sorted(order) for order in epochs] == [list(range(len(TARGETS)))] * 2
    assert epochs[0] != epochs[1]
    assert len({step for _, step in climb.seen}) == 6


def test_a_run_that_is_cut_and_resumed_ends_where_a_whole_one_does():
    whole = fit_shared(Towards(), len(TARGETS), 8, Run(Seed(0)))
    shelf, ticks = Shelf(), iter(range(100))
    cut = fit_shared(
        Towards(), len(TARGETS), 8, Run(Seed(0), deadline=5, journal=shelf, clock=lambda: next(ticks))
    )
    assert 0 < cut.epochs < 8
    resumed = fit_shared(Towards(), len(TARGETS), 8, Run(Seed(0), journal=shelf))
    assert resumed.epochs == 8
    torch.testing.assert_close(resumed.value, whole.value, rtol=0, atol=0)


def test_progress_counts_samples_and_epochs():
    done = []
    fit_shared(Towards(), len(TARGETS), 3, Run(Seed(0), report=lambda work, fallen: done.append(work)))
    assert done == [len(TARGETS)] * 3


def test_a_sample_that_is_lost_has_no_more_say():
    scores = torch.tensor([[20.0, 0.0], [1.0, 0.0]], requires_grad=True)
    clipped_cross_entropy(scores, torch.tensor([1, 1])).sum().backward()
    assert scores.grad[0].abs().sum() == 0
    assert scores.grad[1].abs().sum() > 0
