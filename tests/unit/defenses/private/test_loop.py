"""The loop: what a step does exactly, pieces, empty steps, crashes, and that it learns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError, UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.private.accounting import Mechanism
from gambeson.defenses.private.draws import SecretDraws, SeededDraws
from gambeson.defenses.private.loop import PrivateTask, train_privately
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.training_world import network, rows

PLAN = PrivatePlan(epochs=10, batch=40, clip=0.5, learning_rate=0.5, average=0.0)


def task(**changes) -> PrivateTask:
    return replace(
        PrivateTask(PLAN, Mechanism(1.0, 0.1, 60), rows(400), SeededDraws(Seed(1)), Run(Seed(0))), **changes
    )


def weights(trained) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(trained.network.module.parameters()).detach()


@dataclass
class Told:
    """Draws what it is told and notes what it is asked for."""

    steps: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    secret = False

    def chosen(self, step, rows, rate):
        self.asked.append((step, rows, rate))
        return np.array(self.steps[step], np.int64)

    def normal(self, step, count):
        return np.full(count, step + 1.0, np.float32)


def test_a_step_is_the_sum_of_clipped_gradients_plus_noise_over_the_expected_batch():
    net = network().twin()
    before = [p.detach().clone() for p in net.module.parameters()]
    split = rows(400)
    told = Told([[3, 7]])
    plan = replace(PLAN, momentum=0.0)
    train_privately(net, task(draws=told, mechanism=Mechanism(2.0, 0.1, 1), plan=plan, split=split))
    fresh = network()
    expected = [torch.full_like(p, 2.0 * 0.5 * 1.0) for p in before]
    x, y = (torch.from_numpy(a) for a in split.take(np.array([3, 7])))
    for i in range(2):
        loss = F.cross_entropy(fresh(x[i : i + 1]), y[i : i + 1])
        grads = torch.autograd.grad(loss, list(fresh.module.parameters()))
        length = torch.cat([g.flatten() for g in grads]).norm()
        expected = [e + g * min(1, 0.5 / float(length)) for e, g in zip(expected, grads, strict=True)]
    assert told.asked == [(0, 400, 0.1)]
    for now, old, moved in zip(net.module.parameters(), before, expected, strict=True):
        torch.testing.assert_close(now, old - 0.5 * moved / 40)


def test_a_step_without_rows_is_noise_alone():
    net = network().twin()
    before = weights(type("T", (), {"network": net}))
    trained = train_privately(net, task(draws=Told([[]]), mechanism=Mechanism(1.0, 0.1, 1)))
    torch.testing.assert_close(weights(trained), before - 0.5 * 0.5 / 40)


def test_pieces_change_nothing():
    one, other = (
        train_privately(network(), task(plan=replace(PLAN, at_once=at_once))) for at_once in (3, 1_000)
    )
    torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-5)


def test_it_learns():
    trained = train_privately(network(), task(mechanism=Mechanism(0.5, 0.1, 100)))
    x, y = (torch.from_numpy(a) for a in rows(200, seed=9).take(np.arange(200)))
    assert (trained.network(x).argmax(1) == y).float().mean() > 0.95
    assert trained.complete
    assert not trained.network.module.training


def test_the_running_mean_is_what_is_kept():
    last, mean = (train_privately(network(), task(plan=replace(PLAN, average=a))) for a in (0.0, 0.9))
    assert not torch.equal(weights(last), weights(mean))


class Crash(Exception):
    pass


def crashing(at: int):
    made = []

    def report(work, _):
        made.append(work)
        if len(made) == at:
            raise Crash

    return report


def test_a_killed_training_goes_on_to_the_same_weights_with_seeded_draws(tmp_path):
    whole = train_privately(network(), task())
    journal = FileJournal(tmp_path)
    with pytest.raises(Crash):
        train_privately(
            network(), task(run=Run(Seed(0), journal=journal, save_every=0.0, report=crashing(20)))
        )
    again = train_privately(network(), task(run=Run(Seed(0), journal=journal)))
    assert torch.equal(weights(again), weights(whole))
    assert again.steps == 60


def test_a_killed_training_makes_no_step_twice_or_never_with_secret_draws(tmp_path):
    journal, told = FileJournal(tmp_path), Told([[0]] * 60)
    with pytest.raises(Crash):
        train_privately(
            network(),
            task(draws=SecretDraws(), run=Run(Seed(0), journal=journal, save_every=0.0, report=crashing(20))),
        )
    train_privately(network(), task(draws=told, run=Run(Seed(0), journal=journal)))
    # The twentieth step was made but not kept before the crash: it is made again, and its first outcome is lost.
    assert [step for step, _, _ in told.asked] == list(range(19, 60))


def test_the_deadline_ends_it_unfinished():
    times = iter(range(10_000))
    trained = train_privately(
        network(), task(run=Run(Seed(0), deadline=30.0, clock=lambda: float(next(times))))
    )
    assert not trained.complete
    assert 0 < trained.steps < 60


def test_layers_that_mix_rows_are_refused():
    net = Trainee(nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2)), "cpu", Answer("logits", False))
    with pytest.raises(UsageError, match="mixes the rows"):
        train_privately(net, task())


def test_a_gradient_that_is_no_number_ends_it():
    with pytest.raises(ModelError, match="no number"):
        train_privately(network(), task(plan=replace(PLAN, learning_rate=1e38)))
