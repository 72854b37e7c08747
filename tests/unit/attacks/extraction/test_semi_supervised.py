"""Inputs that were not paid for teach too."""

from __future__ import annotations

from gambeson.attacks.extraction.semi_supervised import SemiSupervised
from gambeson.core.threat import Access
from tests.extraction_worlds import Victim, fidelity, theft


def test_only_bought_answers_are_asked_for():
    victim = Victim()
    SemiSupervised().extract(victim.purse(Access.LABELS, 40), theft(updates=20))
    assert {row.tobytes() for row in victim.asked} == {row.tobytes() for row in theft().x[:40].numpy()}


def test_without_further_inputs_it_learns_from_what_it_bought():
    copy = SemiSupervised().extract(Victim().purse(Access.SCORES, 400), theft(updates=300))
    assert fidelity(copy) > 0.85
