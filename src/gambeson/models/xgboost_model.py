"""XGBoost classifiers from ``.json`` and ``.ubj`` files."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gambeson.core.errors import IntegrityError, ModelError, UsageError, missing_extra
from gambeson.data.schema import Schema
from gambeson.models.model import ModelInfo
from gambeson.models.model_file import ModelFile, damaged
from gambeson.models.probing import (
    LOGITS,
    PROBABILITIES,
    Answer,
    Expected,
    check_columns,
    finish,
    probe,
)

# What Booster.predict returns for each objective that classifies; the others rank or regress.
_OBJECTIVES = {
    "binary:logistic": PROBABILITIES,
    "binary:logitraw": LOGITS,
    "binary:hinge": LOGITS,
    "multi:softprob": PROBABILITIES,
    "multi:softmax": LOGITS,
}
_MARGINS = ("binary:hinge", "multi:softmax")
"""These predict labels; their margins are the logits."""


@dataclass(frozen=True, slots=True)
class Trees:
    """A booster and how to call it.

    Attributes:
        booster: ``xgboost.Booster``.
        objective: Its name, e.g. ``"binary:logistic"``.
        order: Columns of the data in the booster's order.
    """

    booster: Any
    objective: str
    order: tuple[int, ...]

    def matrix(self, x: np.ndarray, y: np.ndarray | None = None) -> Any:
        """The booster's own type of table; categories stay codes."""
        import xgboost

        rows = np.asarray(x, np.float32).reshape(len(x), -1)[:, list(self.order)]
        return xgboost.DMatrix(
            rows,
            label=y,
            feature_names=self.booster.feature_names,
            feature_types=self.booster.feature_types,
            enable_categorical=True,
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n,) or (n, classes); after early stopping from the trees up to the best, as XGBClassifier does."""
        best = self.booster.attr("best_iteration")
        trees = (0, int(best) + 1) if best is not None else (0, 0)
        return np.asarray(
            self.booster.predict(
                self.matrix(x), output_margin=self.objective in _MARGINS, iteration_range=trees
            )
        )


@dataclass(frozen=True, slots=True)
class XGBoostModel:
    """An XGBoost classifier behind the seam; can be trained anew.

    Attributes:
        trees: The booster.
        info: What is known of it.
        answer: What its scores are.
        signs: Which way the score of class 1 may go with each feature in a new training; empty for any way.
    """

    trees: Trees
    info: ModelInfo
    answer: Answer
    signs: tuple[int, ...] = ()

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        return finish(self.info.name, self.trees(x), self.answer)

    @property
    def suffix(self) -> str:
        """XGBoost's binary JSON."""
        return ".ubj"

    def saved(self) -> bytes:
        """Content of a model file."""
        return bytes(self.trees.booster.save_raw("ubj"))

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> XGBoostModel:
        """A fresh booster with what the file tells of the old one: objective, rounds and depth of its trees.

        A model file keeps no learning rate, regularisation or sampling: these are XGBoost's defaults.

        Raises:
            ModelError: Training failed.
        """
        import xgboost

        booster = self.trees.booster
        parameters: dict[str, Any] = {
            "objective": self.trees.objective,
            "max_depth": max(_depth(booster), 1),
            "seed": seed % 2**31,
            "verbosity": 0,
        }
        if self.signs:
            parameters["monotone_constraints"] = self._constraints()
        if self.trees.objective.startswith("multi:"):
            parameters["num_class"] = self.info.classes
        try:
            fresh = xgboost.train(parameters, self.trees.matrix(x, y), booster.num_boosted_rounds())
        except xgboost.core.XGBoostError as error:
            raise ModelError(
                f"Training XGBoost anew failed: {str(error).splitlines()[0]}",
                expected="labels of every class and finite features",
            ) from error
        trees = Trees(fresh, self.trees.objective, self.trees.order)
        return XGBoostModel(trees, self.info, self.answer, self.signs)

    def constrained(self, signs: tuple[int, ...]) -> XGBoostModel:
        """The same, whose fits are monotone in each feature."""
        return replace(self, signs=signs)

    def _constraints(self) -> tuple[int, ...]:
        """Signs in the booster's order; categories are free."""
        types = self.trees.booster.feature_types or ["q"] * len(self.trees.order)
        return tuple(
            0 if kind == "c" else self.signs[place]
            for place, kind in zip(self.trees.order, types, strict=True)
        )


def open_xgboost(file: ModelFile, expected: Expected) -> XGBoostModel:
    """A classifier that ``Booster.save_model`` or ``XGBClassifier.save_model`` wrote.

    Raises:
        IntegrityError: The file is truncated, damaged or no XGBoost model.
        UsageError: Its objective does not classify, or its features or classes are not the data's.
        ModelError: It raised, or answered with something unusable.
        Unavailable: ``xgboost`` is missing.
    """
    booster = _load(file)
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    if objective not in _OBJECTIVES:
        raise UsageError(
            f"{file.name!r} was trained for {objective!r}, which is no classification.",
            expected=", ".join(_OBJECTIVES),
            remedy="train it with one of these objectives",
        )
    schema = expected.schema
    check_columns(file.name, booster.num_features(), schema)
    trees = Trees(booster, objective, _order(file.name, booster.feature_names, schema))
    found = probe(file.name, trees, expected)
    answer = Answer(expected.scores or _OBJECTIVES[objective], found.single)
    info = ModelInfo(file.name, "xgboost", schema.shape, expected.count, answer.scores, file.digest)
    return XGBoostModel(trees, info, answer)


def _load(file: ModelFile) -> Any:
    try:
        import xgboost
    except ImportError:
        raise missing_extra("xgboost", "boosting") from None
    if b"learner" not in file.data[:4096]:
        raise IntegrityError(
            f"{file.name!r} is {file.format.value}, but no XGBoost model.",
            expected="a file that booster.save_model('model.json') or ('model.ubj') wrote",
        )
    try:
        booster = xgboost.Booster()
        booster.load_model(bytearray(file.data))
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise damaged(file.name, "an XGBoost model", error) from error
    return booster


def _order(name: str, names: list[str] | None, schema: Schema) -> tuple[int, ...]:
    """Columns of the data by the booster's feature names if both have the same; else as they come."""
    places = {feature.name: place for place, feature in enumerate(schema.features)}
    if names and set(names) == set(places):
        return tuple(places[feature] for feature in names)
    return tuple(range(schema.shape[0]))


def _depth(booster: Any) -> int:
    """Depth of the deepest tree: the longest chain of children in its dump."""
    return max((_levels(json.loads(tree)) for tree in booster.get_dump(dump_format="json")), default=0)


def _levels(node: dict[str, Any]) -> int:
    return 1 + max(map(_levels, node["children"])) if "children" in node else 0
