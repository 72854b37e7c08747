"""Processes change where work is done, never what comes out."""

from __future__ import annotations

import operator
import os
import time

import pytest

from gambeson.adapters.executor_local import LocalProcesses
from gambeson.core.errors import ModelError


def always():
    return True


def where(_):
    return os.getpid()


def threads(_):
    return os.environ.get("OMP_NUM_THREADS")


def complain(number):
    if number == 2:
        raise ModelError(f"no {number}")
    return number


def die_elsewhere(parent):
    if os.getpid() != parent:
        os._exit(3)
    return "done here"


def test_results_come_in_order_from_other_processes():
    found = list(LocalProcesses(2, worth=0).map(where, range(4), always))
    assert os.getpid() not in found
    assert list(LocalProcesses(2, worth=0).map(operator.neg, range(5), always)) == [0, -1, -2, -3, -4]


def test_a_process_has_one_thread():
    assert set(LocalProcesses(2, worth=0).map(threads, range(2), always)) == {"1"}


def test_work_that_is_not_worth_a_process_is_done_here():
    assert set(LocalProcesses(2).map(where, range(4), always)) == {os.getpid()}


def test_the_first_item_tells_whether_processes_are_worth_it():
    ticks = iter([0.0, 10.0])
    found = list(LocalProcesses(2, clock=lambda: next(ticks)).map(where, range(3), always))
    assert found[0] == os.getpid()
    assert os.getpid() not in found[1:]


@pytest.mark.parametrize("worth", [0, 15])
def test_what_cannot_be_sent_is_done_here(worth):
    def local(x):
        return x, os.getpid()

    here = os.getpid()
    assert list(LocalProcesses(2, worth=worth).map(local, range(3), always)) == [(i, here) for i in range(3)]


def test_work_that_lost_its_process_is_done_here():
    assert list(LocalProcesses(2, worth=0).map(die_elsewhere, [os.getpid()] * 3, always)) == ["done here"] * 3


def test_an_error_of_the_function_stands_where_its_result_would():
    results = LocalProcesses(2, worth=0).map(complain, [1, 2, 3], always)
    assert next(results) == 1
    with pytest.raises(ModelError, match="no 2"):
        next(results)


def test_no_item_is_begun_once_told_to_stop():
    answers = iter([True, True, False, False, False, False])
    assert list(LocalProcesses(2, worth=0).map(abs, range(9), lambda: next(answers))) == [0, 1]
    assert list(LocalProcesses(2).map(abs, range(9), lambda: False)) == []


def test_no_items_no_processes():
    begun = time.monotonic
    assert list(LocalProcesses(2, worth=0, clock=begun).map(abs, [], always)) == []
