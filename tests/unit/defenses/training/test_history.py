"""What a history remembers, and that it survives being stored."""

from __future__ import annotations

from gambeson.defenses.training.history import History, Look
from gambeson.defenses.training.standing import Standing


def seen(*robust: int) -> History:
    history = History()
    for step, count in enumerate(robust):
        history.see(Look(step, Standing(100, 90, count, 0), 7))
    return history


def test_the_best_look_is_the_most_robust():
    history = seen(10, 50, 40)
    assert history.best == 0.5
    assert history.without_progress == 1
    assert history.looked_at == 2


def test_among_equals_the_later_one_is_kept_though_it_is_no_progress():
    history = seen(10, 50)
    assert history.see(Look(9, Standing(100, 90, 50, 0), 7))
    assert history.without_progress == 1


def test_clean_accuracy_decides_between_equally_robust_ones():
    history = seen(50)
    assert not history.see(Look(1, Standing(100, 80, 51, 0), 7))
    assert history.see(Look(2, Standing(100, 99, 50, 0), 7))


def test_it_survives_being_stored():
    history = seen(10, 50)
    history.add(0.5)
    history.went_back(3, "catastrophic overfitting")
    again = History.of(history.arrays())
    assert (again.looks, again.losses, again.returns) == (history.looks, history.losses, history.returns)


def test_an_empty_one_too():
    again = History.of(History().arrays())
    assert again.looks == []
    assert again.best == 0
    assert again.looked_at == -1


def test_without_an_attacker_in_training_clean_accuracy_decides():
    history = History()
    history.see(Look(0, Standing(100, 90, 50, 0), 0))
    assert history.see(Look(1, Standing(100, 95, 10, 0), 0))
