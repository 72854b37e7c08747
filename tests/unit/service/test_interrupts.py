from __future__ import annotations

import os
import signal
import threading

import pytest

from gambeson.audit.runner import AuditClock
from gambeson.service.interrupts import interrupts


def test_the_first_interrupt_lets_deadlines_pass_and_the_second_ends_the_program():
    clock = AuditClock()
    with interrupts(clock):
        os.kill(os.getpid(), signal.SIGINT)
        assert clock() == float("inf")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with interrupts(AuditClock()):
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone():
    def work():
        with interrupts(AuditClock()):
            handlers.append(signal.getsignal(signal.SIGINT))

    handlers = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
