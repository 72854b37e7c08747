from __future__ import annotations

from threading import Barrier

import numpy as np
import pytest

from gambeson.audit.base import PROFILES, CheckContext, CheckFacts, checks
from gambeson.audit.runner import AuditClock, Task, run_tasks
from gambeson.core.errors import InsufficientEvidence, ModelError, Unavailable
from gambeson.core.finding import Family, Outcome
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests.masked_models import BatchDependent
from tests.tiny_models import ScoreModel, TensorModel, linear
from tests.unit.audit.report.samples import MEMBERSHIP

FACTS = CheckFacts(Family.PRIVACY, Access.SCORES, "does it leak?", (), cost=1.0)
seen: list[CheckContext] = []


def good(context):
    seen.append(context)
    return [MEMBERSHIP]


def raises(error):
    def check(context):
        raise error

    return check


PLANTED = {
    "good": good,
    "bug": raises(ValueError("oops")),
    "few": raises(InsufficientEvidence("only 3 records")),
    "extra": raises(Unavailable("no such package")),
    "nan": raises(ModelError("NaN scores")),
    "stop": raises(KeyboardInterrupt()),
}


@pytest.fixture(autouse=True)
def planted():
    seen.clear()
    for name, check in PLANTED.items():
        checks.register(f"test.{name}", FACTS)(check)
    yield
    for name in PLANTED:
        checks.unregister(f"test.{name}")


def task(name, facts=FACTS, model=None):
    context = CheckContext(
        f"test.{name}", model or linear([[1.0], [2.0]]), None, ThreatModel(), PROFILES["quick"], Seed(0)
    )
    return Task(f"test.{name}", facts, context)


def run(*tasks, deadline=float("inf"), clock=None, jobs=1):
    return run_tasks(tasks, clock or AuditClock(lambda: 0.0), deadline, jobs)


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("bug", Outcome.ERRORED, "ValueError: oops"),
        ("nan", Outcome.ERRORED, "NaN scores"),
        ("few", Outcome.NOT_ASSESSED, "only 3 records"),
        ("extra", Outcome.NOT_ASSESSED, "no such package"),
    ],
)
def test_a_check_that_fails_is_a_finding_and_the_next_one_runs(name, outcome, words):
    first, second = run(task(name), task("good"))
    assert first.findings[0].outcome is outcome
    assert words in first.findings[0].reason
    assert second.findings == (MEMBERSHIP,)


def test_an_interrupt_ends_the_run_in_order():
    done = run(task("good"), task("stop"), task("good"))
    assert [d.findings[0].outcome for d in done] == [
        Outcome.PASSED,
        Outcome.NOT_ASSESSED,
        Outcome.NOT_ASSESSED,
    ]
    assert all("--resume" in d.findings[0].reason for d in done[1:])


def test_time_is_shared_by_cost_and_what_is_left_over_goes_on():
    from dataclasses import replace

    run(task("good", replace(FACTS, cost=3.0)), task("good"), deadline=100.0)
    assert [context.deadline for context in seen] == [75.0, 100.0]


def test_jobs_run_at_the_same_time_and_answer_in_order():
    meeting = Barrier(2, timeout=20)

    def meet(context):
        meeting.wait()
        return [MEMBERSHIP]

    checks.register("test.meet", FACTS)(meet)
    try:
        done = run(task("meet"), task("bug"), task("meet"), jobs=3)
    finally:
        checks.unregister("test.meet")
    outcomes = [d.findings[0].outcome for d in done]
    assert outcomes == [Outcome.PASSED, Outcome.ERRORED, Outcome.PASSED]


def test_jobs_share_the_time_side_by_side():
    run(task("good"), task("good"), task("good"), task("good"), deadline=100.0, jobs=2)
    assert sorted(context.deadline for context in seen) == pytest.approx([50.0, 200 / 3, 100.0, 100.0])


def test_a_gradient_check_needs_gradients():
    from dataclasses import replace

    model = ScoreModel(lambda x: x, (1,), 2)
    (done,) = run(task("good", replace(FACTS, access=Access.GRADIENT), model))
    assert done.findings[0].outcome is Outcome.NOT_ASSESSED
    assert "gives no gradients" in done.findings[0].reason
    assert seen == []


def test_an_interrupted_clock_has_passed_every_deadline():
    clock = AuditClock(lambda: 1.0)
    assert clock() == 1.0
    clock.interrupt()
    assert clock() >= float("inf")


@pytest.mark.parametrize(("any_answers", "outcome"), [(False, Outcome.NOT_ASSESSED), (True, Outcome.PASSED)])
def test_an_evasion_check_is_kept_from_a_batch_dependent_model(any_answers, outcome):
    from dataclasses import replace

    facts = replace(FACTS, family=Family.EVASION, any_answers=any_answers)
    rows = ArraySplit(np.linspace(0, 1, 9, dtype=np.float32)[:, None], np.zeros(9, np.int64))
    data = Dataset("rows", Schema((1,), ("a", "b")), {"test": rows}, "")
    model = TensorModel(BatchDependent(linear([[1.0], [2.0]]).module), (1,), 2)
    asked = task("good", facts, model)
    (done,) = run(replace(asked, context=replace(asked.context, data=data)))
    assert done.findings[0].outcome is outcome
    assert any_answers or "model.eval()" in done.findings[0].reason
