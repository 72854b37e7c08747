"""Monotone trees: each feature speaks for one class alone, so that the worst an attacker can do is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.threat import Norm
from gambeson.data.dataset import Split
from gambeson.defenses.fitted import Fitted, Round, fitted_recipes
from gambeson.defenses.training.base import RecipeFacts
from gambeson.models.model import Constrainable, Savable


@fitted_recipes.register(
    "monotone",
    RecipeFacts(
        "boosted trees of two classes in which each feature speaks for one of them, fitted to the worst of the ball",
        source="Incer et al. 2018, Adversarially robust malware detection using monotonic classification, section 3",
    ),
)
@dataclass(frozen=True, slots=True)
class Monotone:
    """Fits boosted trees under monotone constraints, to the rows and to where they are worst for such trees.

    Where every feature can only raise or only lower the score, the worst input of a linf ball is its corner towards the
    other class, the same for all such trees. Fitting to those corners so minimises the worst loss itself, and counting
    on them is exact but for relations between features.

    Attributes:
        held_out: Most training rows that only show which fit is best.
    """

    held_out: int = 500

    @property
    def rounds(self) -> int:
        """To the rows as they are, to their worst, and to both."""
        return len(_FITS)

    def check(self, model: Savable) -> None:
        """Refuse what is no booster of two classes.

        Raises:
            UsageError: It is none.
        """
        if not isinstance(model, Constrainable) or model.info.classes != 2:
            raise UsageError(
                f"The recipe 'monotone' cannot fit {model.info.name} "
                f"({model.info.kind}, {model.info.classes} classes).",
                expected="XGBoost or LightGBM with two classes",
                remedy="use --recipe augmentation",
            )

    def fit(
        self, model: Savable, split: Split, space: PerturbationSet, run: Run, note: Callable[[str], None]
    ) -> Fitted:
        """See ``FittedRecipe``."""
        self.check(model)
        assert isinstance(model, Constrainable)
        if space.norm is not Norm.LINF:
            raise Unavailable(
                f"Monotone trees are fitted under linf, not under {space.norm}.", expected="linf"
            )
        order = run.seed.child("held out").generator().permutation(len(split))
        m = max(1, min(self.held_out, len(split) // 5))
        train, watched = (split.take(np.sort(part)) for part in (order[m:], order[:m]))
        signs = directions(*train)
        base, rounds = model.constrained(tuple(int(s) for s in signs)), list[Round]()
        best: Savable = model
        for name, shares in _FITS.items():
            if run.deadline is not None and run.clock() >= run.deadline:
                break
            x = np.concatenate([worst(*train, space, signs, share) for share in shares])
            y = np.tile(train[1], len(shares))
            fitted = base.fit_new(x, y, run.seed.child("fit", name).integer())
            assert isinstance(fitted, Savable)  # of the same kind
            rounds.append(_look(fitted, *watched, worst(*watched, space, signs), len(x)))
            if rounds[-1].stand >= max(r.stand for r in rounds):
                best = fitted
            note(f"{name}: {rounds[-1].right / m:.1%} clean, {rounds[-1].stand / m:.1%} at the worst")
            run.report(1, 0)
        return Fitted(best, tuple(rounds), complete=len(rounds) == len(_FITS))


_FITS = {"rows": (0.0,), "rows and their worst": (0.0, 1.0), "their worst": (1.0,)}
"""Which shares of the way to their worst the rows are fitted at, fit by fit."""


def directions(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(features,) 1 where a feature is larger on average in class 1, -1 where smaller, 0 where it is never known."""
    known = [np.maximum((~np.isnan(x[y == label])).sum(0), 1) for label in (0, 1)]
    means = [np.nansum(x[y == label], 0) / count for label, count in enumerate(known)]
    found: np.ndarray = np.sign(means[1] - means[0]).astype(np.int64)
    return found


def worst(
    x: np.ndarray, y: np.ndarray, space: PerturbationSet, signs: np.ndarray, share: float = 1.0
) -> np.ndarray:
    """(n, features) rows moved towards the other class.

    Args:
        x: (n, features) rows.
        y: (n,) 0 or 1.
        space: What the attacker may change.
        signs: (features,) which way each feature speaks.
        share: Of the radius.
    """
    ball = space.around(torch.from_numpy(x))
    towards = torch.from_numpy(signs).float() * torch.from_numpy(1 - 2 * y).float()[:, None]
    found: np.ndarray = ball.apply(ball.project(share * space.eps * towards)).numpy()
    return found


def _look(model: Savable, x: np.ndarray, y: np.ndarray, moved: np.ndarray, rows: int) -> Round:
    right, stand = (model.scores(part).argmax(1) == y for part in (x, moved))
    return Round(rows, int(right.sum()), int((right & stand).sum()), len(x))
