"""The loop: it trains, keeps the best, goes on after a crash with the same weights, and answers a collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError, UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.loop import hold_out, train
from gambeson.defenses.training.madry import PGDTraining
from gambeson.defenses.training.plain import Plain
from gambeson.defenses.training.plan import Plan
from gambeson.defenses.training.standing import look
from tests.training_world import network, rows, space, task

LONG = Plan(epochs=20, batch=32, learning_rate=0.05, average=0.9)


def weights(trained) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(trained.network.module.parameters()).detach()


def test_adversarial_training_learns_the_robust_feature():
    trained = train(network(), task(PGDTraining(steps=3), plan=LONG, eps=0.15))
    x, y = (torch.from_numpy(a) for a in rows(200, seed=9).take(np.arange(200)))
    seen = look(trained.network, x, y, space(0.15), Adversary(20))
    assert seen.clean == 1
    assert seen.robust > 0.95
    assert trained.complete
    assert not trained.network.module.training


def test_same_seed_same_weights_and_the_callers_stream_goes_on():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    net = network(1).twin(), network(1).twin()
    torch.manual_seed(5)
    one, other = (train(n, task(PGDTraining(steps=2))) for n in net)
    assert torch.equal(weights(one), weights(other))
    assert torch.equal(torch.rand(3), expected)


class Crash(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    recipe, steps = PGDTraining(steps=2), []
    whole = train(network(), task(recipe))

    def crash(work, _):
        steps.append(work)
        if len(steps) == 17:
            raise Crash

    journal = FileJournal(tmp_path)
    with pytest.raises(Crash):
        train(network(), task(recipe, run=Run(Seed(0), journal=journal, save_every=0.0, report=crash)))
    again = train(network(), task(recipe, run=Run(Seed(0), journal=journal)))
    assert torch.equal(weights(again), weights(whole))
    assert again.history.losses == whole.history.losses
    assert again.steps == whole.steps


def test_a_finished_training_is_not_done_again(tmp_path):
    journal = FileJournal(tmp_path)
    train(network(), task(Plain(), run=Run(Seed(0), journal=journal)))
    made = []
    run = Run(Seed(0), journal=journal, report=lambda work, _: made.append(work))
    train(network(), task(Plain(), run=run))
    assert len(made) == 1  # the steps of the first run, at once


def test_the_deadline_ends_it_with_the_best_so_far():
    times = iter(range(10_000))
    run = Run(Seed(0), deadline=30.0, clock=lambda: float(next(times)))
    trained = train(network(), task(Plain(), run=run))
    assert not trained.complete
    assert 0 < trained.steps < 44
    assert trained.history.looks


def test_patience_ends_it_early():
    trained = train(network(), task(Plain(), plan=Plan(epochs=40, batch=32, learning_rate=0.05, patience=3)))
    assert trained.complete
    assert trained.steps < 20 * 11


class Sick:
    """Its loss is no number from one call on, for as many calls as are said."""

    steps = 0

    def __init__(self, times: int) -> None:
        self.calls, self.sick = 0, range(15, 15 + times)

    def attack(self, scores, batch):
        return batch.x

    def loss(self, scores, batch, attacked):
        self.calls += 1
        loss = F.cross_entropy(scores(batch.x), batch.y)
        return loss * float("nan") if self.calls in self.sick else loss


def test_a_loss_that_is_no_number_is_answered_by_going_back_and_smaller_steps():
    trained = train(network(), task(Sick(times=1)))
    assert trained.history.returns == [(14, "the loss was no number")]
    assert trained.complete
    assert all(np.isfinite(trained.history.losses))


def test_a_loss_that_is_no_number_again_is_an_error_with_the_reason():
    with pytest.raises(ModelError, match="the loss was no number"):
        train(network(), task(Sick(times=2)))


@dataclass(frozen=True, slots=True)
class Collapsing:
    """Learns to trust the weak feature alone once eps is full, as long as the attacker has a single step."""

    steps: int = 1
    reach: float = 1.0

    def attack(self, scores, batch):
        return PGDTraining(3).attack(scores, batch)

    def loss(self, scores, batch, attacked):
        if self.steps > 1 or batch.ball.space.eps < 0.1499:
            return F.cross_entropy(scores(attacked), batch.y)
        weak = batch.x.clone()
        weak[:, 0] = torch.where(torch.rand(len(weak)) < 0.5, 0.3, 0.7)
        return F.cross_entropy(scores(weak), batch.y)


def test_a_collapse_is_noticed_undone_and_answered_with_a_stronger_attacker():
    plan = Plan(epochs=12, batch=32, learning_rate=0.05, average=0.0, ramp=0.5)
    trained = train(network(), task(Collapsing(), plan=plan, eps=0.15))
    assert [why for _, why in trained.history.returns] == ["catastrophic overfitting"]
    assert trained.history.looks[-1].attack_steps == 2
    assert trained.history.looks[-1].standing.robust > 0.9


def test_without_the_guard_a_collapse_goes_on_to_the_end():
    plan = Plan(epochs=12, batch=32, learning_rate=0.05, average=0.0, ramp=0.5, guard=False)
    trained = train(network(), task(Collapsing(), plan=plan, eps=0.15))
    assert trained.history.returns == []
    assert trained.history.looks[-1].standing.robust < 0.8


def test_weight_perturbation_changes_the_training():
    plain = train(network(), task(Plain()))
    moved = train(network(), task(Plain(), plan=Plan(epochs=4, batch=32, perturbation=0.1)))
    assert not torch.equal(weights(plain), weights(moved))


def test_a_plan_that_does_not_fit_the_data_is_refused():
    with pytest.raises(UsageError, match="larger than"):
        train(network(), task(Plain(), plan=Plan(batch=1000)))


def test_held_out_rows_are_never_trained_on():
    chosen = hold_out(rows(105), 500, Run(Seed(1)))
    assert len(chosen.held_out) == 10
    assert not set(chosen.train) & set(chosen.held_out)
    assert len(set(chosen.train) | set(chosen.held_out)) == 105


class Remembering:
    """Moves each row by its own share of eps, a function of the row, and notes where it began."""

    steps = 0

    def __init__(self) -> None:
        self.seen: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def attack(self, scores, batch):
        self.seen.append((batch.x, batch.begin))
        return batch.x + batch.ball.space.eps * (2 * batch.x - 1)

    def loss(self, scores, batch, attacked):
        return F.cross_entropy(scores(attacked), batch.y)


def test_the_attack_on_a_row_begins_where_it_ended_in_the_epoch_before():
    recipe = Remembering()
    train(network(), task(recipe, plan=Plan(epochs=3, batch=30, keep=True, guard=False)))
    epoch = 300 // 30  # 400 rows less a tenth that is held out
    assert not any(begin.any() for _, begin in recipe.seen[:epoch])
    for x, begin in recipe.seen[2 * epoch + 2 :]:
        met = begin.abs().amax(1) > 0
        assert met.float().mean() > 0.9  # rows left over at the end of an epoch were not met
        assert torch.allclose(begin[met], (2 * x - 1)[met], atol=0.01)


def test_without_keeping_the_attack_is_not_told_where_to_begin():
    recipe = Remembering()
    train(network(), task(recipe, plan=Plan(epochs=2, batch=30)))
    assert all(begin is None for _, begin in recipe.seen)


def test_a_killed_training_with_kept_perturbations_goes_on_to_the_same_weights(tmp_path):
    recipe, plan, steps = PGDTraining(steps=1, reach=0.4), Plan(epochs=4, batch=32, keep=True), []
    whole = train(network(), task(recipe, plan=plan))

    def crash(work, _):
        steps.append(work)
        if len(steps) == 27:
            raise Crash

    journal = FileJournal(tmp_path)
    with pytest.raises(Crash):
        train(
            network(),
            task(recipe, plan=plan, run=Run(Seed(0), journal=journal, save_every=0.0, report=crash)),
        )
    again = train(network(), task(recipe, plan=plan, run=Run(Seed(0), journal=journal)))
    assert torch.equal(weights(again), weights(whole))
