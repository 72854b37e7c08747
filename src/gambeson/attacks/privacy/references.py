"""Reference models: fresh copies of the target, trained on random halves of the candidate records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.base import of_true_class
from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.scoring import log_probabilities
from gambeson.core.reproduce import Seed
from gambeson.models.model import Trainable
from gambeson.models.passes import Passes

PASSES_PER_FIT = 90
"""Work of training on one record, in model passes, for the progress bar: 30 epochs, there and back."""


@dataclass(frozen=True, slots=True)
class References:
    """What the reference models say about every record of a pool.

    Attributes:
        scores: (k, n) float64 log-probability of the true class.
        included: (k, n) bool, whether the model was trained on the record; models 2i and 2i + 1 complement
            each other, so every record is in exactly half of them.
        planned: How many were asked for; more than k when time ran out.
    """

    scores: np.ndarray
    included: np.ndarray
    planned: int


def no_references(records: int, planned: int = 0) -> References:
    """An empty set of reference models for ``records`` records."""
    return References(np.empty((0, records)), np.empty((0, records), bool), planned)


def work_to_train(records: int, count: int) -> int:
    """Planned work of ``count`` reference models, in model passes over one sample."""
    return count * (records // 2 * PASSES_PER_FIT + records)


def train_references(model: Trainable, pool: Pool, count: int, rows_per_pass: int, run: Run) -> References:
    """Train ``count`` reference models in pairs, each pair on two halves of the pool.

    Halves are drawn within each class and without regard to membership. Each finished model's scores go to
    the journal, so that a resumed run trains only what is missing. A pair that the deadline leaves
    incomplete is dropped: half of the records would have no model trained with them.

    Args:
        model: The target; only its kind and hyper-parameters are used.
        pool: The candidate records.
        count: Number of models; an odd one is rounded down.
        rows_per_pass: Records per model pass.
        run: Seeds, deadline, journal, progress.

    Raises:
        ModelError: Training failed or a reference model answered with something unusable.
    """
    count -= count % 2
    done: list[np.ndarray] = []
    included: list[np.ndarray] = []
    longest = 0.0
    for pair in range(count // 2):
        half = draw_half(pool.labels, run.seed.child("half", str(pair)))
        for number, rows in ((2 * pair, half), (2 * pair + 1, ~half)):
            begun = run.clock()
            scores = _kept(run, number, len(pool))
            if scores is None and run.deadline is not None and begun + longest >= run.deadline:
                return _collect(done, included, len(pool), count)
            if scores is None:
                scores = _train(model, pool, rows, number, rows_per_pass, run)
                longest = max(longest, run.clock() - begun)
            done.append(scores)
            included.append(rows)
            run.report(work_to_train(len(pool), 1), 0)
    return _collect(done, included, len(pool), count)


def draw_half(labels: np.ndarray, seed: Seed) -> np.ndarray:
    """(n,) bool: a random half of the records of each class; of an odd number one more or one less."""
    rng, chosen = seed.generator(), np.zeros(len(labels), bool)
    order = np.lexsort((rng.random(len(labels)), labels))  # classes in turn, records at random within each
    chosen[order[int(rng.integers(2)) :: 2]] = True
    return chosen


def _train(
    model: Trainable, pool: Pool, rows: np.ndarray, number: int, rows_per_pass: int, run: Run
) -> np.ndarray:
    x, y = pool.take(np.flatnonzero(rows))
    fresh = model.fit_new(x, y, run.seed.child("fit", str(number)).integer())
    scores = of_true_class(log_probabilities(Passes(fresh, rows_per_pass), pool), pool.labels)
    run.journal.save(f"{run.key}/reference/{number}", {"scores": scores})
    return scores


def _kept(run: Run, number: int, records: int) -> np.ndarray | None:
    """Scores that an earlier run left in the journal."""
    stored = run.journal.load(f"{run.key}/reference/{number}")
    return stored["scores"] if stored is not None and stored["scores"].shape == (records,) else None


def _collect(done: list[np.ndarray], included: list[np.ndarray], records: int, planned: int) -> References:
    pairs = len(done) - len(done) % 2
    if not pairs:
        return no_references(records, planned)
    return References(np.stack(done[:pairs]), np.stack(included[:pairs]), planned)
