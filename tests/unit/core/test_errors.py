"""Errors say what was given, what was expected and what to do, on both sides of a process boundary."""

from __future__ import annotations

import pickle

import pytest

from gambeson.core import errors
from gambeson.core.errors import GambesonError, Unavailable, UsageError, missing_extra

EVERY = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GambesonError)
]


def test_a_message_has_all_three_parts_in_order():
    error = UsageError("eps is -1.", expected="a radius above 0", remedy="pass --eps 0.1")
    assert str(error) == "eps is -1.\nExpected: a radius above 0\nFix: pass --eps 0.1"


def test_parts_that_were_not_given_leave_no_empty_line():
    assert str(UsageError("eps is -1.")) == "eps is -1."
    assert str(UsageError("eps is -1.", remedy="pass --eps 0.1")) == "eps is -1.\nFix: pass --eps 0.1"


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_way_between_processes(kind):
    sent = kind("what", expected="else", remedy="do")
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is kind
    assert (got.message, got.expected, got.remedy) == ("what", "else", "do")
    assert str(got) == str(sent)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_one_clause_catches_everything_raised_on_purpose(kind):
    with pytest.raises(GambesonError):
        raise kind("what")


def test_every_class_is_drawn_in_the_tree():
    assert all(kind.__name__ in errors.__doc__ for kind in EVERY)


def test_a_missing_package_is_answered_with_the_command_that_installs_it():
    error = missing_extra("xgboost", "boosting")
    assert isinstance(error, Unavailable)
    assert "'xgboost'" in str(error)
    assert "pip install 'gambeson[boosting]'" in str(error)
