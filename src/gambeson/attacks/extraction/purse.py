"""The purse: answers are bought once, counted, and kept where a crash or a failing endpoint cannot take them away."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from copy import copy

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.core.errors import BudgetExhausted
from gambeson.core.ports import Journal, NoJournal
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

_AT_ONCE = 256
"""Inputs sent together; what an endpoint that fails in the middle had answered before is kept."""
_PAGE = 1_000
"""Answers kept in one piece of the journal."""


class Purse:
    """An extraction attack's only way to the model.

    The same input is never paid for twice, not even after the run was resumed: answers are found again by the bytes of
    their input.

    Args:
        passes: Runs the model.
        access: ``LABELS`` or ``SCORES``.
        budget: Most inputs asked about.
        journal: Keeps answers.
        key: Prefix of the journal's keys.
        stop: Whether time is up.

    Attributes:
        spent: Different inputs asked about by this attack.
        bought: Those among them that had to be asked about now.
    """

    def __init__(
        self,
        passes: Passes,
        access: Access,
        *,
        budget: int,
        journal: Journal | None = None,
        key: str = "answers",
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.access, self.budget, self.spent, self.bought = access, budget, 0, 0
        self._passes, self._stop = passes, stop
        self._oracle = Oracle(passes, access, rows=1)
        self._journal, self._key = journal or NoJournal(), key
        self._asked: set[bytes] = set()
        self._page: list[tuple[bytes, np.ndarray]] = []
        self._kept, self._pages = self._load()

    @property
    def left(self) -> int:
        """Inputs that may still be asked about."""
        return self.budget - self.spent

    @property
    def device(self) -> str:
        """Where the model lives; inputs may come from anywhere."""
        return self._passes.device

    def ask(self, x: Tensor) -> Tensor:
        """What the model says of inputs (n, *shape): (n, classes) float32 on the CPU, each row a distribution.

        Under ``LABELS`` all of it lies on the answered class.

        Raises:
            BudgetExhausted: The budget does not suffice, and nothing was asked; or time is up.
            ModelError: The model answered with something unusable.
        """
        return self._answers(x).float().softmax(1)

    def logits(self, x: Tensor) -> np.ndarray:
        """The same as logits or log-probabilities, as the model gives them.

        Raises:
            BudgetExhausted, ModelError: As above.
        """
        found: np.ndarray = self._answers(x).numpy()
        return found

    def anew(self, budget: int) -> Purse:
        """A purse for another attack on the same model, to which known answers are not sold again."""
        self.flush()
        other = copy(self)
        other.budget, other.spent, other.bought, other._asked, other._page = budget, 0, 0, set(), []
        return other

    def flush(self) -> None:
        """Write what was bought to the journal."""
        if self._page:
            digests = np.array([np.frombuffer(digest, np.uint8) for digest, _ in self._page])
            answers = np.array([answer for _, answer in self._page])
            self._journal.save(f"{self._key}/{self._pages}", {"digests": digests, "answers": answers})
            self._pages += 1
            self._page = []

    def _answers(self, x: Tensor) -> Tensor:
        """(n, classes) logits; after ``LABELS`` alone infinitely far apart but for the sake of arithmetic 1000."""
        digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x.cpu().numpy()]
        fresh = {
            digest: row for row, digest in reversed(list(enumerate(digests))) if digest not in self._asked
        }
        if len(fresh) > self.left:
            raise BudgetExhausted(f"The budget of {self.budget} queries is spent.")
        missing = sorted(row for digest, row in fresh.items() if digest not in self._kept)
        try:
            for start in range(0, len(missing), _AT_ONCE):
                self._buy(x, digests, missing[start : start + _AT_ONCE])
        finally:
            if len(self._page) >= _PAGE or sys.exc_info()[0] is not None:
                self.flush()
        self._asked |= fresh.keys()
        self.spent += len(fresh)
        if not digests:
            return torch.zeros(0, self._passes.model.info.classes)
        return torch.from_numpy(np.array([self._kept[digest] for digest in digests]))

    def _buy(self, x: Tensor, digests: list[bytes], rows: list[int]) -> None:
        if self._stop():
            raise BudgetExhausted("Time is up.")
        asked = x[rows].to(self._passes.device)
        of = torch.zeros(len(rows), dtype=torch.int64)
        if self.access is Access.LABELS:
            labels = self._oracle.labels(asked, of).cpu()
            answers = (1000.0 * F.one_hot(labels, self._passes.model.info.classes)).numpy().astype(np.float32)
        else:
            answers = self._oracle.scores(asked, of).cpu().numpy()
        for row, answer in zip(rows, answers, strict=True):
            self._kept[digests[row]] = answer
            self._page.append((digests[row], answer))
        self.bought += len(rows)

    def _load(self) -> tuple[dict[bytes, np.ndarray], int]:
        kept: dict[bytes, np.ndarray] = {}
        pages = 0
        while (page := self._journal.load(f"{self._key}/{pages}")) is not None:
            kept.update(zip((row.tobytes() for row in page["digests"]), page["answers"], strict=True))
            pages += 1
        return kept, pages
