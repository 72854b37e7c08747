"""Is there a backdoor in a model? Three tests that look for one class unlike the others, and one p-value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.anomalies import Standout, combine, standout
from gambeson.defenses.poisoning.max_margin import Climb, max_margins
from gambeson.defenses.poisoning.shortcut import Descent, Shortcuts, find_shortcuts
from gambeson.defenses.poisoning.trigger_search import Search, Triggers, find_triggers
from gambeson.models.model import Differentiable


@dataclass(frozen=True, slots=True)
class ScanEffort:
    """How hard to look."""

    search: Search = field(default_factory=Search)
    climb: Climb = field(default_factory=Climb)
    descent: Descent = field(default_factory=Descent)


@dataclass(frozen=True, slots=True)
class ModelScan:
    """What the tests found.

    Attributes:
        patch: Smallest patch for each class (logarithm of its size, negated).
        margin: Largest margin of each class over all possible inputs (logarithm).
        shortcut: Smallest universal perturbation (logarithm of its size, negated).
        triggers: The patches.
        shortcuts: The perturbations.
        p: Combined p-value: chance of so extreme a class in a model whose classes are all alike.
    """

    patch: Standout
    margin: Standout
    shortcut: Standout
    triggers: Triggers
    shortcuts: Shortcuts
    p: float

    @property
    def tests(self) -> tuple[Standout, ...]:
        """All three, the most extreme first."""
        return tuple(sorted((self.patch, self.margin, self.shortcut), key=lambda test: test.p))

    @property
    def label(self) -> int:
        """Class that the most extreme test points at."""
        return self.tests[0].label


def scan_model(
    model: Differentiable,
    x: np.ndarray,
    schema: Schema,
    effort: ScanEffort,
    seed: Seed,
    report: Callable[[str], None] = lambda said: None,
) -> ModelScan:
    """Run the three tests.

    Args:
        model: Under suspicion.
        x: (n, *shape) float32 clean inputs.
        schema: Shape, bounds and classes.
        effort: How hard to look.
        seed: Of everything that is drawn.
        report: Called after each test.

    Raises:
        InsufficientEvidence: The model has fewer than four classes.
        ModelError: The model answered with something unusable.
    """
    margins = max_margins(model, schema, effort.climb, seed.child("margin").generator())
    margin = standout("maximum margin", np.log(np.maximum(margins, 1e-6)))
    report(margin.name)
    triggers = find_triggers(model, x, schema, effort.search, seed.child("patch").generator())
    patch = standout("smallest patch", -np.log(triggers.sizes + 1e-6))
    report(patch.name)
    shortcuts = find_shortcuts(model, x, schema, effort.descent, seed.child("shortcut").generator())
    shortcut = standout("universal perturbation", -np.log(shortcuts.sizes + 1e-9))
    report(shortcut.name)
    p = combine([margin.p, patch.p, shortcut.p])
    return ModelScan(patch, margin, shortcut, triggers, shortcuts, p)
