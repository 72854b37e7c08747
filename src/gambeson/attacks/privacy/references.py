"""Reference models: fresh copies of the target, trained on random halves of the candidate records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.base import of_true_class
from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.scoring import log_probabilities
from gambeson.core.ports import Executor, Journal, NoJournal, SameProcess
from gambeson.core.reproduce import Seed, digest_value
from gambeson.models.model import HasRecipe, Trainable
from gambeson.models.passes import Passes

PASSES_PER_FIT = 90
"""Work of training on one record, in model passes, for the progress bar: 30 epochs, there and back."""


@dataclass(frozen=True, slots=True)
class References:
    """What the reference models say about every record of a pool.

    Attributes:
        answers: (k, n, classes) float32 log-probabilities.
        included: (k, n) bool, whether the model was trained on the record; models 2i and 2i + 1 complement
            each other, so every record is in exactly half of them.
        planned: How many were asked for; more than k when time ran out.
        reused: How many were taken from an earlier run.
    """

    answers: np.ndarray
    included: np.ndarray
    planned: int
    reused: int = 0

    def __len__(self) -> int:
        return len(self.answers)

    def confidence(self, labels: np.ndarray) -> np.ndarray:
        """(k, n) float64 log-probability of the true class."""
        return of_true_class(self.answers, labels)


@dataclass(frozen=True, slots=True)
class Training:
    """How reference models are trained; nothing here changes what comes out.

    Attributes:
        rows_per_pass: Records per model pass.
        executor: Where they are trained.
        cache: Answers of earlier runs' reference models, kept under digests of all that decides them.
    """

    rows_per_pass: int
    executor: Executor = field(default_factory=SameProcess)
    cache: Journal = field(default_factory=NoJournal)


def no_references(records: int, planned: int = 0, classes: int = 0) -> References:
    """An empty set of reference models for ``records`` records."""
    return References(np.empty((0, records, classes), np.float32), np.empty((0, records), bool), planned)


def work_to_train(records: int, count: int) -> int:
    """Planned work of ``count`` reference models, in model passes over one sample."""
    return count * (records // 2 * PASSES_PER_FIT + records)


def train_references(model: Trainable, pool: Pool, count: int, training: Training, run: Run) -> References:
    """Train ``count`` reference models in pairs, each pair on two halves of the pool.

    Halves are drawn within each class and without regard to membership. Each finished model's answers go to
    the journal, so that a resumed run trains only what is missing, and to the cache, so that another run with the
    same records, kind of model and seed does not train them again. A pair that the deadline leaves
    incomplete is dropped: half of the records would have no model trained with them.

    Args:
        model: The target; only its kind and hyper-parameters are used.
        pool: The candidate records.
        count: Number of models; an odd one is rounded down.
        training: Where and how.
        run: Seeds, deadline, journal, progress.

    Raises:
        ModelError: Training failed or a reference model answered with something unusable.
    """
    count -= count % 2
    halves = [draw_half(pool.labels, run.seed.child("half", str(pair))) for pair in range(count // 2)]
    included = [rows for half in halves for rows in (half, ~half)]
    store = _Store(run, training.cache, _cache_key(model, pool, run.seed), len(pool))
    done, reused = store.load(count)
    for _ in done:
        run.report(work_to_train(len(pool), 1), 0)
    missing = [number for number in range(count) if number not in done]
    jobs = [
        _Job(model, pool, included[n], run.seed.child("fit", str(n)).integer(), training.rows_per_pass)
        for n in missing
    ]
    results = training.executor.map(_train, jobs, _time_for_more(run, done, training.executor.workers))
    for number, answers in zip(missing, results, strict=False):
        done[number] = answers
        store.save(number, answers)
        run.report(work_to_train(len(pool), 1), 0)
    return _collect(done, included, no_references(len(pool), count, model.info.classes), reused)


def draw_half(labels: np.ndarray, seed: Seed) -> np.ndarray:
    """(n,) bool: a random half of the records of each class; of an odd number one more or one less."""
    rng, chosen = seed.generator(), np.zeros(len(labels), bool)
    order = np.lexsort((rng.random(len(labels)), labels))  # classes in turn, records at random within each
    chosen[order[int(rng.integers(2)) :: 2]] = True
    return chosen


@dataclass(frozen=True, slots=True)
class _Job:
    """One reference model to be trained; small enough a value to be sent to another process."""

    model: Trainable
    pool: Pool
    rows: np.ndarray
    seed: int
    rows_per_pass: int


def _train(job: _Job) -> np.ndarray:
    """(n, classes) float32 log-probabilities."""
    with _one_thread():
        x, y = job.pool.take(np.flatnonzero(job.rows))
        fresh = job.model.fit_new(x, y, job.seed)
        return log_probabilities(Passes(fresh, job.rows_per_pass), job.pool).astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The number of threads decides the last bits of a sum, and so where a training ends."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, slots=True)
class _Store:
    """Answers that this run, or an earlier one, has kept."""

    run: Run
    cache: Journal
    key: str
    records: int

    def load(self, count: int) -> tuple[dict[int, np.ndarray], int]:
        """Answers by model, and how many of them another run has left."""
        done, reused = {}, 0
        for number in range(count):
            answers = self._usable(self.run.journal, self._own(number))
            if answers is None and self.key:
                answers = self._usable(self.cache, f"{self.key}/{number}")
                reused += answers is not None
            if answers is not None:
                done[number] = answers
        return done, reused

    def save(self, number: int, answers: np.ndarray) -> None:
        self.run.journal.save(self._own(number), {"answers": answers})
        if self.key:
            self.cache.save(f"{self.key}/{number}", {"answers": answers})

    def _own(self, number: int) -> str:
        return f"{self.run.key}/reference/{number}"

    def _usable(self, journal: Journal, key: str) -> np.ndarray | None:
        stored = journal.load(key)
        answers = None if stored is None else stored.get("answers")
        return answers if answers is not None and len(answers) == self.records else None


def _cache_key(model: Trainable, pool: Pool, seed: Seed) -> str:
    """Digest of all that decides the reference models' answers; empty where the model does not say what it is."""
    from gambeson import __version__

    recipe = (model.recipe if isinstance(model, HasRecipe) else "") or model.info.digest
    known = [__version__, model.info.kind, recipe, pool.digest(), seed.value, *seed.path]
    return digest_value(known) if recipe else ""


def _time_for_more(run: Run, done: dict[int, np.ndarray], workers: int) -> Callable[[], bool]:
    """Whether there is time to train one more model, judged by the pace so far."""
    begun, before = run.clock(), len(done)

    def go_on() -> bool:
        if run.deadline is None:
            return True
        now, trained = run.clock(), len(done) - before
        pace = (now - begun) / trained * workers if trained else 0.0
        return now + pace < run.deadline

    return go_on


def _collect(
    done: dict[int, np.ndarray], included: list[np.ndarray], none: References, reused: int
) -> References:
    whole = [number for number in range(len(included)) if {number, number ^ 1} <= done.keys()]
    if not whole:
        return none
    answers = np.stack([done[number] for number in whole]).astype(np.float32)
    return References(answers, np.stack([included[n] for n in whole]), none.planned, reused)
