"""Prototypes by gradient ascent."""

from __future__ import annotations

from dataclasses import replace

import torch

from gambeson.attacks.privacy.inversion.priors import total_variation
from gambeson.attacks.privacy.inversion.prototype import Prototype
from gambeson.core.threat import Access
from tests.inversion_worlds import oracle_for, shows, task_for


def found(attack: Prototype, task):
    return attack.reconstruct(oracle_for(task, Access.GRADIENT), task)


def test_without_public_inputs_it_starts_from_the_middle_and_still_finds_the_pattern():
    task = task_for([0, 4])
    task = replace(task, public=task.public[:0])
    assert (task.typical == 0.5).all()
    assert shows(found(Prototype(), task)) == [0, 4]


def test_more_weight_on_total_variation_gives_smoother_pictures():
    task = task_for([0, 1, 2])
    rough, smooth = (total_variation(found(Prototype(weight), task)).mean() for weight in (0.0, 1.0))
    assert smooth < rough


def test_one_query_for_each_step():
    task = task_for([0, 1], steps=7)
    oracle = oracle_for(task, Access.GRADIENT)
    Prototype().reconstruct(oracle, task)
    assert oracle.queries.tolist() == [7, 7]


def test_what_is_typical_is_the_mean_of_the_public_inputs():
    task = task_for([0])
    assert torch.allclose(task.typical, task.public.mean(0), atol=1e-6)
