"""The registry of extraction attacks."""

from __future__ import annotations

from gambeson.attacks.extraction.base import extraction
from gambeson.core.threat import Access


def test_every_strategy_of_the_documentation_is_registered():
    wanted = {"active", "data_free", "jacobian", "knockoff", "knockoff_adaptive", "semi_supervised"}
    assert wanted <= set(extraction.names())


def test_every_attack_names_its_source_and_runs_on_labels():
    assert all("arXiv" in entry.facts.source for entry in extraction)
    assert all(entry.facts.access is Access.LABELS for entry in extraction)
