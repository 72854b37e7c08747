"""Threat models: access is ordered, nonsense is refused, the words name the attacker."""

from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel


def test_access_levels_include_the_ones_below():
    assert Access.LABELS < Access.SCORES < Access.GRADIENT


@pytest.mark.parametrize("access", list(Access))
def test_an_access_level_is_read_as_it_is_written(access):
    assert Access.parse(str(access)) is access
    assert Access.parse(str(access).upper()) is access


def test_an_unknown_access_level_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="labels, scores or gradient"):
        Access.parse("weights")


@pytest.mark.parametrize("eps", [0, -0.1, float("nan"), float("inf"), float("-inf")])
def test_a_radius_that_is_none_is_refused(eps):
    with pytest.raises(UsageError, match="above 0"):
        ThreatModel(eps=eps)


@pytest.mark.parametrize("queries", [0, -5])
def test_a_query_budget_below_one_is_refused(queries):
    with pytest.raises(UsageError, match="at least 1"):
        ThreatModel(queries=queries)


def test_an_unknown_unit_is_refused():
    with pytest.raises(UsageError, match="input or range"):
        ThreatModel(unit="percent")


def test_under_l0_the_radius_counts_features():
    assert ThreatModel(Norm.L0, 1).eps == 1
    with pytest.raises(UsageError, match="number of features"):
        ThreatModel(Norm.L0, 0.5)


@pytest.mark.parametrize(
    ("threat", "words"),
    [
        (ThreatModel(), "linf eps=0.03137, gradient access"),
        (ThreatModel(Norm.L2, 0.5, Access.SCORES), "l2 eps=0.5, scores access"),
        (ThreatModel(Norm.L1, 0.1, unit="range"), "l1 eps=0.1 of each feature's range, gradient access"),
    ],
)
def test_the_words_name_norm_radius_and_access(threat, words):
    assert str(threat) == words


def test_a_negative_number_of_categories_is_refused():
    with pytest.raises(UsageError, match="-1 categories"):
        ThreatModel(categories=-1)


@pytest.mark.parametrize(("categories", "words"), [(0, ""), (1, " and 1 category"), (2, " and 2 categories")])
def test_findings_are_known_by_how_far_the_attacker_may_go(categories, words):
    threat = ThreatModel(Norm.LINF, 0.1, unit="range", categories=categories)
    assert threat.reach == "linf eps=0.1 of range" + words
    assert words in str(threat)


def test_norm_and_access_may_be_given_as_words():
    assert ThreatModel(norm="l2", eps=0.5, access="scores") == ThreatModel(Norm.L2, 0.5, Access.SCORES)


@pytest.mark.parametrize("wrong", [{"norm": "l3"}, {"access": "all"}])
def test_a_word_that_names_no_norm_or_access_is_refused(wrong):
    with pytest.raises(UsageError, match="Unknown"):
        ThreatModel(**wrong)
