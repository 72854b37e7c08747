"""Recipes from layers to statement: fronts, layers that standardise, replaced layers, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.harness import Run
from gambeson.core.errors import ModelError, UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.private import making
from gambeson.defenses.private.base import PrivateRecipe
from gambeson.defenses.private.canaries import CanaryAudit
from gambeson.defenses.private.draws import SeededDraws
from gambeson.defenses.private.features import Standardise
from gambeson.defenses.private.making import make_private, questions
from gambeson.defenses.private.scattering import Scattering
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee

pytest.importorskip("dp_accounting")
RECIPE = PrivateRecipe(epsilon=4.0, self_test=False, repeatable=True, at_once=64)


def split(n: int = 120) -> ArraySplit:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=n)
    x = (
        rng.uniform(0, 0.2, (n, 1, 8, 8))
        + 0.6 * (np.arange(8) % 2)[None, None, None] * y[:, None, None, None]
    )
    return ArraySplit(x.astype(np.float32), y)


def scattered() -> Trainee:
    torch.manual_seed(0)
    layers = Scattering(8, 4), Standardise(25), nn.Flatten(), nn.Linear(100, 2)
    return Trainee(nn.Sequential(*layers), "cpu", Answer("logits", False))


def made(trainee, recipe=RECIPE, run=None):
    rows = split()
    return make_private(trainee, recipe, recipe.plan(len(rows), 3, 120), rows, run or Run(Seed(0)))


def test_scattering_standardised_and_trained_together():
    found = made(scattered(), replace(RECIPE, learning_rate=2.0))
    assert found.complete
    assert found.statement.releases == (8.0, 8.0)
    assert 3.9 < found.statement.epsilon <= 4.0
    layer = found.network.module[1]
    assert layer.mean.abs().max() > 0
    x, y = (torch.from_numpy(a) for a in split().take(np.arange(120)))
    assert (found.network(x).argmax(1) == y).float().mean() > 0.8
    assert not any(p.requires_grad for p in found.network.module.parameters())


class Crash(Exception):
    pass


def test_a_resumed_training_learns_means_only_once(tmp_path, monkeypatch):
    def crash(work, _):
        raise Crash

    journal, secret = FileJournal(tmp_path), replace(RECIPE, repeatable=False)
    one = scattered()
    with pytest.raises(Crash):
        made(one, secret, Run(Seed(0), journal=journal, report=crash))
    monkeypatch.setattr(making, "fit", None)
    found = made(scattered(), secret, Run(Seed(0), journal=journal))
    assert torch.equal(found.network.module[1].mean, one.module[1].mean)


def batched() -> Trainee:
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2)
    return Trainee(nn.Sequential(*layers), "cpu", Answer("logits", False))


def test_batch_normalisation_is_replaced_with_consent_alone():
    with pytest.raises(UsageError, match="mixes the rows"):
        made(batched())
    found = made(batched(), replace(RECIPE, replace=True))
    assert isinstance(found.network.module[1], nn.GroupNorm)


def test_an_unfinished_training_promises_nothing():
    found = made(scattered(), run=Run(Seed(0), deadline=0.0, clock=lambda: 1.0))
    assert not found.complete
    assert found.statement is None


def test_the_self_test_is_stated_and_a_broken_installation_trains_nothing(monkeypatch):
    recipe = replace(RECIPE, self_test=True)
    monkeypatch.setattr(making, "self_test", lambda *_: CanaryAudit(1_000, 20, 12, 2.0, 1e-5, 0.0, 0.95))
    assert "12 of 20 guesses right" in made(scattered(), recipe).statement.self_test
    monkeypatch.setattr(making, "self_test", lambda *_: CanaryAudit(1_000, 20, 20, 2.0, 1e-5, 2.5, 0.95))
    with pytest.raises(ModelError, match="broken in this installation"):
        made(scattered(), recipe)


def test_rows_that_are_not_drawn_one_by_one_are_found_before_training(monkeypatch):
    class Fixed(SeededDraws):
        def chosen(self, step, rows, rate):
            return np.arange(round(rows * rate))

    monkeypatch.setattr(making, "SeededDraws", Fixed)
    with pytest.raises(ModelError, match="not drawn as the promise assumes"):
        made(scattered(), replace(RECIPE, self_test=True))


def test_questions_are_asked_before():
    assert questions(RECIPE.plan(100, None, None), 100) == []
    assert questions(replace(RECIPE, delta=0.1).plan(100, None, None), 100)
