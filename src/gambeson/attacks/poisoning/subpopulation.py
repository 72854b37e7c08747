"""Subpopulation attack: the labels of one cluster of similar rows change, and accuracy falls there alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings
from gambeson.attacks.poisoning.clusters import k_means, standardised
from gambeson.core.errors import UsageError


@poisonings.register(
    "subpopulation",
    PoisoningFacts(
        goal="targeted",
        changes="labels",
        pictures=True,
        tables=True,
        source="Jagielski et al. 2021, Subpopulation data poisoning attacks, arXiv:2006.14026, section 3 "
        "(ClusterMatch, label flipping); deviation: clusters of standardised inputs, and rows change in place",
    ),
)
@dataclass(frozen=True, slots=True)
class Subpopulation:
    """k-means; of the clusters that fit the budget the one that agrees most on a class gets the target.

    Attributes:
        clusters: Number of clusters.
    """

    clusters: int = 40

    def poison(self, task: PoisonTask) -> Changes:
        """Gives the target to rows of one cluster.

        Raises:
            UsageError: Fewer than two clusters, or more than rows.
        """
        if not 2 <= self.clusters <= len(task.y):
            raise UsageError(f"{self.clusters} clusters were asked for.", expected=f"2 to {len(task.y)}")
        member = k_means(standardised(task.x), self.clusters, task.seed.child("clusters").generator())
        other = task.y != task.target
        counts = np.bincount(member[other], minlength=self.clusters)
        fitting = np.where(counts <= task.budget, counts, -1)
        chosen = (
            int(fitting.argmax())
            if fitting.max() > 0
            else int(np.where(counts > 0, counts, counts.max() + 1).argmin())
        )
        rows = task.draw(other & (member == chosen))
        said = (
            ("rows of the cluster", str(int((member == chosen).sum()))),
            ("rows of the cluster that have another class", str(int(counts[chosen]))),
        )
        return Changes(rows, task.x[rows], np.full(len(rows), task.target, np.int64), facts=said)
