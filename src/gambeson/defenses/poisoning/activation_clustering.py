"""Activation clustering: poisoned rows of a class form a small cluster of their own in the features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.clusters import k_means
from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors
from gambeson.defenses.poisoning.projecting import principal


@detectors.register(
    "activation_clustering",
    DetectorFacts(
        looks_at="clusters of features",
        source="Chen et al. 2018, Detecting backdoor attacks on deep neural networks by activation clustering, "
        "arXiv:1811.03728; deviation: principal in place of independent components, and a suspicion in place of "
        "a verdict for each cluster",
    ),
)
@dataclass(frozen=True, slots=True)
class ActivationClustering:
    """Two clusters within each class; the smaller and the more separate a row's cluster, the more suspicious the row.

    Attributes:
        components: Dimensions in which rows are clustered.
    """

    components: int = 10

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """How much nearer a row is to the smaller cluster, times how clearly the two are apart."""
        out = np.zeros(len(seen.y))
        for label in seen.classes:
            rows = np.flatnonzero(seen.y == label)
            if len(rows) < 2 * self.components:
                continue
            z = principal(seen.features[rows], self.components)
            member = k_means(z, 2, seen.seed.child("clusters", str(label)).generator())
            small = int(np.bincount(member, minlength=2).argmin())
            if not 0 < (member == small).sum() < len(rows):
                continue
            centres = np.stack([z[member == small].mean(axis=0), z[member != small].mean(axis=0)])
            near, far = (np.linalg.norm(z - centre, axis=1) for centre in centres)
            gap = np.linalg.norm(centres[0] - centres[1])
            within = np.where(member == small, near, far).mean()
            share = (member == small).mean()
            out[rows] = (far - near) / gap * (gap / (within + 1e-12)) * (0.5 - share + 0.05)
        return out
