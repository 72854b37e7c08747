"""Label flipping: labels change, inputs do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings
from gambeson.attacks.poisoning.pupil import answers, teach
from gambeson.core.errors import UsageError

_MODES = ("random", "targeted", "margin")


@poisonings.register(
    "label_flip",
    PoisoningFacts(
        goal="availability",
        changes="labels",
        pictures=True,
        tables=True,
        source="Biggio et al. 2012, Poisoning attacks against support vector machines, arXiv:1206.6389; mode margin "
        "after Xiao et al. 2012, Adversarial label flips attack on support vector machines (farthest first)",
    ),
)
@dataclass(frozen=True, slots=True)
class LabelFlip:
    """Three ways to choose rows and labels.

    Attributes:
        mode: ``"random"``: any rows, any other class; ``"targeted"``: rows of ``source`` get the target;
            ``"margin"``: the rows that a network trained on the clean data is surest of get the class that it holds
            for the least likely, which does most harm.
        source: Class number for ``"targeted"``; any other class where below 0.
    """

    mode: str = "random"
    source: int = -1

    def poison(self, task: PoisonTask) -> Changes:
        """Flips labels.

        Raises:
            UsageError: An unknown mode.
        """
        if self.mode not in _MODES:
            raise UsageError(f"Unknown mode {self.mode!r}.", expected=", ".join(_MODES))
        if self.mode == "targeted":
            of_source = task.y == self.source if self.source >= 0 else task.y != task.target
            rows = task.draw(of_source & (task.y != task.target))
            return Changes(rows, task.x[rows], np.full(len(rows), task.target, np.int64))
        if self.mode == "margin":
            return _surest(task)
        rows = task.draw(np.ones(len(task.y), bool))
        classes = len(task.schema.classes)
        steps = task.seed.child("labels").generator().integers(1, classes, len(rows))
        return Changes(rows, task.x[rows], (task.y[rows] + steps) % classes)


def _surest(task: PoisonTask) -> Changes:
    pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("margin"), build=task.build)
    logits = answers(pupil.module, task.x).astype(np.float64)
    of_label = logits[np.arange(len(task.y)), task.y]
    logits[np.arange(len(task.y)), task.y] = np.inf
    worst = logits.argmin(axis=1)
    margin = of_label - logits[np.arange(len(task.y)), worst]
    rows = np.sort(np.argsort(-margin, kind="stable")[: task.budget])
    return Changes(rows, task.x[rows], worst[rows].astype(np.int64))
