from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli.words import data_options, split_words, threshold, whole_number


def test_repeated_and_comma_separated_words_become_one_list_without_doubles():
    assert split_words(["evasion, privacy", "evasion,", "extraction"]) == ("evasion", "privacy", "extraction")
    assert split_words([]) is None
    assert split_words(None) is None


def test_data_options_keep_what_follows_the_first_equals_sign():
    assert data_options(["separator==", "header=none"], "income") == (
        ("label", "income"),
        ("separator", "="),
        ("header", "none"),
    )


@pytest.mark.parametrize(
    ("values", "label", "words"),
    [(["header"], None, "no '='"), (["a=1", "a=2"], None, "'a' is given twice"), (["label=x"], "y", "twice")],
)
def test_wrong_data_options_are_refused(values, label, words):
    with pytest.raises(UsageError, match=words):
        data_options(values, label)


def test_a_whole_number_is_read_and_nothing_else():
    assert whole_number("--seed", "-3") == -3
    with pytest.raises(UsageError, match=r"--seed is '1\.5'"):
        whole_number("--seed", "1.5")


@pytest.mark.parametrize("text", ["privacy.auc<=0.6", " privacy.auc <= 0.6 "])
def test_a_threshold_is_a_figure_and_its_rule(text):
    assert threshold(text) == ("privacy.auc", "<= 0.6")


@pytest.mark.parametrize("text", ["privacy.auc", "<= 0.6", "privacy.auc == 0.6", "a b <= 0.6"])
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(UsageError, match="no rule"):
        threshold(text)


@pytest.mark.parametrize("empty", [[","], ["", " "]])
def test_a_list_that_names_nothing_is_refused(empty):
    with pytest.raises(UsageError, match="names nothing"):
        split_words(empty)
