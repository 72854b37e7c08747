"""Knockoff: asks in the order in which inputs are held, and gains by scores."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.extraction.knockoff import Knockoff
from gambeson.core.threat import Access
from tests.extraction_worlds import Victim, fidelity, theft


def test_it_asks_about_the_first_inputs_once():
    victim = Victim()
    Knockoff().extract(victim.purse(Access.LABELS, 100), theft())
    assert {row.tobytes() for row in victim.asked} == {row.tobytes() for row in theft().x[:100].numpy()}


def test_a_copy_agrees_more_the_more_it_may_ask_and_the_more_it_sees():
    made = {
        (access, budget): fidelity(Knockoff().extract(Victim().purse(access, budget), theft(updates=300)))
        for access in (Access.LABELS, Access.SCORES)
        for budget in (20, 400)
    }
    assert made[Access.LABELS, 400] > made[Access.LABELS, 20]
    assert made[Access.SCORES, 400] > max(made[Access.SCORES, 20], 0.9)
    assert made[Access.SCORES, 400] > made[Access.LABELS, 400]


def test_labels_are_all_that_a_copy_from_labels_sees():
    class Sharper(Victim):
        def answer(self, x):
            return 50 * super().answer(x)

    copies = [
        Knockoff().extract(kind().purse(Access.LABELS, 50), theft(updates=20)).scores(theft().x.numpy())
        for kind in (Victim, Sharper)
    ]
    np.testing.assert_array_equal(*copies)
