"""Runs checks one by one, each in isolation, and shares the time between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from gambeson.attacks.robustness import require_independent
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.errors import GambesonError, InsufficientEvidence, ModelError, Unavailable
from gambeson.core.finding import Evidence, Family, Finding, Outcome
from gambeson.core.threat import Access
from gambeson.models.model import Differentiable

INTERRUPTED = "interrupted before it was done; go on with --resume"


class AuditClock:
    """Monotonic seconds, until the user interrupts: then every deadline has passed.

    An interrupt so becomes an early deadline: attacks wind up in order, keep what they found and say what
    they left out.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.interrupted = False

    def __call__(self) -> float:
        """Seconds now, or infinity once interrupted."""
        return float("inf") if self.interrupted else self._now()

    def interrupt(self) -> None:
        """Let every deadline pass now."""
        self.interrupted = True


@dataclass(frozen=True, slots=True)
class Task:
    """One check to run.

    Attributes:
        name: Id under which it is reported, e.g. ``"evasion.gradient"``.
        facts: What it declares.
        context: What it may use; its deadline is set when its turn comes.
    """

    name: str
    facts: CheckFacts
    context: CheckContext


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task."""

    findings: tuple[Finding, ...]
    seconds: float


def run_tasks(tasks: Sequence[Task], clock: AuditClock, deadline: float, jobs: int = 1) -> list[Done]:
    """Run every task, whatever becomes of the others.

    The time that is left is shared among the tasks that are left in proportion to their cost: what one does
    not need goes to the next. Several jobs are threads of this process: models are shared, and what takes the
    time in them (torch, ONNX Runtime, tree ensembles) runs outside Python's lock.

    Args:
        tasks: In order.
        clock: Shared by all; its interrupt ends the run in order.
        deadline: Value of ``clock`` at which the run must end; ``inf`` for no limit.
        jobs: Tasks run at the same time.
    """

    def run(number: int) -> Done:
        left = sum(task.facts.cost for task in tasks[number:])
        return _run_task(tasks[number], clock, deadline, min(jobs * tasks[number].facts.cost / left, 1.0))

    if jobs == 1:
        return [run(number) for number in range(len(tasks))]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run, range(len(tasks))))


def _run_task(task: Task, clock: AuditClock, deadline: float, share: float) -> Done:
    """Run a task within its share of the time that is left."""
    begun = clock()
    context = replace(task.context, clock=clock, deadline=begun + (deadline - begun) * share)
    if clock.interrupted:
        found = [not_assessed(task.name, task.facts, INTERRUPTED, task.context)]
    else:
        found = _isolated(task, context, clock)
    context.progress.finish(task.context.check, ", ".join(sorted({f.outcome for f in found})))
    return Done(tuple(found), 0.0 if clock.interrupted else clock() - begun)


def not_assessed(name: str, facts: CheckFacts, reason: str, context: CheckContext | None = None) -> Finding:
    """The finding of a check that gives no answer."""
    return _unanswered(name, facts, Outcome.NOT_ASSESSED, reason, context)


def _isolated(task: Task, context: CheckContext, clock: AuditClock) -> list[Finding]:
    needs = task.facts.access is Access.GRADIENT and task.facts.needs_gradients
    if needs and not isinstance(context.model, Differentiable):
        info = context.model.info
        advice = "; audit the network it was exported from to cover this" if info.kind == "onnx" else ""
        reason = f"{info.name} ({info.kind}) gives no gradients{advice}"
        return [not_assessed(task.name, task.facts, reason, context)]
    try:
        if task.facts.family is Family.EVASION and not task.facts.any_answers:
            require_independent(context.model, context.data.split(context.split), context.rows_per_pass)
        return checks[task.name].plugin(context)
    except (InsufficientEvidence, Unavailable) as error:
        return [not_assessed(task.name, task.facts, " ".join(str(error).split("\n")), context)]
    except ModelError as error:
        return [_unanswered(task.name, task.facts, Outcome.ERRORED, str(error), context)]
    except KeyboardInterrupt:
        clock.interrupt()
        return [not_assessed(task.name, task.facts, INTERRUPTED, context)]
    except Exception as error:
        text = str(error) if isinstance(error, GambesonError) else f"{type(error).__name__}: {error}"
        return [_unanswered(task.name, task.facts, Outcome.ERRORED, text, context)]


def _unanswered(
    name: str, facts: CheckFacts, outcome: Outcome, reason: str, context: CheckContext | None
) -> Finding:
    target = f"{context.threat.norm} eps={context.threat.eps:.4g}" if context and facts.per_threat else ""
    return Finding(
        check=name,
        title=facts.question,
        family=facts.family,
        access=facts.access,
        outcome=outcome,
        reason=reason,
        target=target,
        taxonomy=facts.taxonomy,
        evidence=Evidence(command=context.command if context else ""),
    )
