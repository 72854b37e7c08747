"""LightGBM classifiers from ``.txt`` files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gambeson.core.errors import ModelError, UsageError, missing_extra
from gambeson.models.model import ModelInfo
from gambeson.models.model_file import ModelFile, damaged
from gambeson.models.probing import PROBABILITIES, Answer, Expected, check_columns, finish, probe

_OBJECTIVES = ("binary", "multiclass", "multiclassova", "cross_entropy")

# What a new training takes over from a file. The other parameters name files, machines and devices.
_HYPERPARAMETERS = {
    "boosting", "num_leaves", "max_depth", "learning_rate", "min_data_in_leaf", "min_sum_hessian_in_leaf",
    "bagging_fraction", "bagging_freq", "feature_fraction", "feature_fraction_bynode", "extra_trees",
    "lambda_l1", "lambda_l2", "linear_lambda", "min_gain_to_split", "drop_rate", "max_drop", "skip_drop",
    "uniform_drop", "top_rate", "other_rate", "max_bin", "min_data_in_bin", "is_unbalance",
    "scale_pos_weight", "sigmoid", "path_smooth",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the model was trained, as its file says.

    Attributes:
        objective: ``"binary"``, ``"multiclass"``, ...
        parameters: Hyper-parameters.
        rounds: Boosting rounds.
    """

    objective: str
    parameters: tuple[tuple[str, Any], ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class LightGBMModel:
    """A LightGBM classifier behind the seam; can be trained anew."""

    booster: Any
    recipe: Recipe
    info: ModelInfo
    answer: Answer

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        return finish(self.info.name, _predict(self.booster, x), self.answer)

    @property
    def suffix(self) -> str:
        """LightGBM's text."""
        return ".txt"

    def saved(self) -> bytes:
        """Content of a model file."""
        return str(self.booster.model_to_string()).encode()

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> LightGBMModel:
        """A fresh booster with the hyper-parameters that the file lists.

        Raises:
            ModelError: Training failed.
        """
        import lightgbm

        parameters = {
            **dict(self.recipe.parameters),
            "objective": self.recipe.objective,
            "seed": seed % 2**31,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        if self.recipe.objective.startswith("multiclass"):
            parameters["num_class"] = self.info.classes
        try:
            table = lightgbm.Dataset(np.asarray(x, np.float64).reshape(len(x), -1), y)
            fresh = lightgbm.train(parameters, table, self.recipe.rounds)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise ModelError(
                f"Training LightGBM anew failed: {error}",
                expected="labels of every class and finite features",
            ) from error
        return LightGBMModel(fresh, self.recipe, self.info, self.answer)

    def constrained(self, signs: tuple[int, ...]) -> LightGBMModel:
        """The same, whose fits are monotone in each feature."""
        parameters = dict(self.recipe.parameters) | {"monotone_constraints": list(signs)}
        return replace(self, recipe=replace(self.recipe, parameters=tuple(parameters.items())))


def open_lightgbm(file: ModelFile, expected: Expected) -> LightGBMModel:
    """A classifier that ``Booster.save_model`` wrote.

    Raises:
        IntegrityError: The file is truncated or damaged.
        UsageError: Its objective does not classify, or its features or classes are not the data's.
        ModelError: It raised, or answered with something unusable.
        Unavailable: ``lightgbm`` is missing.
    """
    text, booster = _load(file)
    recipe = _read_recipe(text, booster)
    if recipe.objective not in _OBJECTIVES:
        raise UsageError(
            f"{file.name!r} was trained for {recipe.objective or 'its own objective'!r}, no classification.",
            expected=", ".join(_OBJECTIVES),
            remedy="train it with one of these objectives",
        )
    schema = expected.schema
    check_columns(file.name, booster.num_feature(), schema)
    found = probe(file.name, lambda x: _predict(booster, x), expected)
    answer = Answer(expected.scores or PROBABILITIES, found.single)
    info = ModelInfo(file.name, "lightgbm", schema.shape, expected.count, answer.scores, file.digest)
    return LightGBMModel(booster, recipe, info, answer)


def _load(file: ModelFile) -> tuple[str, Any]:
    try:
        import lightgbm
    except ImportError:
        raise missing_extra("lightgbm", "boosting") from None
    try:
        text = file.data.decode()
        if "\nend of trees" not in text:
            raise ValueError("the line 'end of trees' is missing")
        return text, lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise damaged(file.name, "a LightGBM model", error) from error


def _predict(booster: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(booster.predict(np.asarray(x, np.float64).reshape(len(x), -1)))


def _read_recipe(text: str, booster: Any) -> Recipe:
    """Objective from the header, the rest as LightGBM reads the ``parameters:`` section and the trees."""
    found = re.search(r"^objective=(\w+)", text, re.MULTILINE)
    kept = tuple((key, value) for key, value in booster.params.items() if key in _HYPERPARAMETERS)
    return Recipe(found[1] if found else "", kept, booster.current_iteration())
