"""What the guard takes for a collapse, and what it changes."""

from __future__ import annotations

from gambeson.defenses.training.guard import Guard
from gambeson.defenses.training.madry import PGDTraining, fast
from gambeson.defenses.training.plain import Plain
from gambeson.defenses.training.standing import Standing


def test_robustness_lost_at_once_while_accuracy_holds_is_a_collapse():
    assert Guard(fast()).collapsed(Standing(100, 95, 20, 0), own=0.3, best=0.5)


def test_a_network_that_withstands_its_own_attacker_alone_has_collapsed():
    assert Guard(fast()).collapsed(Standing(100, 95, 20, 0), own=0.9, best=0.2)


def test_a_small_fall_or_a_fall_of_accuracy_is_none():
    assert not Guard(fast()).collapsed(Standing(100, 95, 35, 0), own=0.4, best=0.5)
    assert not Guard(fast()).collapsed(Standing(100, 45, 20, 0), own=0.3, best=0.5)


def test_a_network_that_knows_nothing_yet_has_not_collapsed():
    assert not Guard(fast()).collapsed(Standing(100, 20, 2, 0), own=0.15, best=0.0)


def test_an_attacker_of_many_steps_is_not_fooled():
    assert not Guard(PGDTraining(steps=10)).collapsed(Standing(100, 95, 20, 0), own=0.9, best=0.5)


def test_plain_training_cannot_collapse():
    assert not Guard(Plain()).collapsed(Standing(100, 95, 0, 0), own=0.9, best=0.5)


def test_the_attacker_gets_twice_as_many_steps_until_it_has_enough():
    guard = Guard(fast())
    assert guard.strengthen()
    assert (guard.steps, guard.recipe.reach) == (2, 2.0)
    assert guard.strengthen()
    assert guard.strengthen()
    assert guard.steps == 8
    assert not guard.strengthen()


def test_training_is_slowed_down_once():
    guard = Guard(Plain())
    assert guard.slow_down()
    assert guard.slowdown < 1
    assert not guard.slow_down()


def test_it_survives_being_stored():
    guard = Guard(fast())
    guard.strengthen()
    guard.slow_down()
    again = Guard.of(guard.arrays(), fast())
    assert (again.recipe, again.slowdown) == (guard.recipe, guard.slowdown)
