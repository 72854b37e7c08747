"""scikit-learn models from skops files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gambeson.core.errors import ModelError, UsageError, missing_extra
from gambeson.data.schema import Kind, Schema
from gambeson.models.labels import column_order
from gambeson.models.model import ModelInfo
from gambeson.models.model_file import ModelFile
from gambeson.models.probing import (
    LOGITS,
    PROBABILITIES,
    Answer,
    Expected,
    check_columns,
    finish,
    probe,
)
from gambeson.models.sklearn_file import load_estimator


@dataclass(frozen=True, slots=True)
class Estimator:
    """A fitted estimator and how to call it.

    Attributes:
        estimator: Has ``predict_proba`` or ``decision_function``.
        schema: The data: names and categories of its columns.
        order: For each class of the data, its column in the estimator's answer.
    """

    estimator: Any
    schema: Schema
    order: tuple[int, ...]

    @property
    def gives_probabilities(self) -> bool:
        """Whether it has ``predict_proba``; else ``decision_function`` counts as logits."""
        return hasattr(self.estimator, "predict_proba")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, classes) in the order of the data's classes."""
        table = to_table(x, self.estimator, self.schema)
        if self.gives_probabilities:
            raw = np.asarray(self.estimator.predict_proba(table))
        else:
            raw = np.asarray(self.estimator.decision_function(table))
            if raw.ndim == 1:  # binary: softmax of (-d/2, d/2) is sigmoid(d) for the second class
                raw = np.stack([-raw / 2, raw / 2], axis=1)
        return raw[:, list(self.order)]


@dataclass(frozen=True, slots=True)
class SklearnModel:
    """A scikit-learn estimator or pipeline behind the seam; can be fitted anew."""

    predict: Estimator
    info: ModelInfo
    answer: Answer

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch, (n, classes) float32.

        Raises:
            ModelError: A score is not finite.
        """
        return finish(self.info.name, self.predict(x), self.answer)

    @property
    def suffix(self) -> str:
        """What skops writes."""
        return ".skops"

    def saved(self) -> bytes:
        """Content of a model file.

        Raises:
            Unavailable: The package ``skops`` is missing.
        """
        try:
            from skops.io import dumps
        except ImportError:
            raise missing_extra("skops", "sklearn") from None
        return bytes(dumps(self.predict.estimator))

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> SklearnModel:
        """A clone, fitted to other data.

        Args:
            x: (n, features) float32.
            y: (n,) int64 labels.
            seed: Becomes every ``random_state``.

        Raises:
            ModelError: Fitting failed, or the data lacks a class.
        """
        from sklearn.base import clone

        fresh = _seeded(clone(self.predict.estimator), seed)
        labels = _labels(self.predict)[y]
        try:
            fresh.fit(to_table(x, self.predict.estimator, self.predict.schema), labels)
        except Exception as error:
            raise ModelError(
                f"Fitting {type(fresh).__name__} anew raised {type(error).__name__}: {error}",
                expected="an estimator that fits the audited data",
                remedy="fit it by hand on the same columns",
            ) from error
        if len(fresh.classes_) != len(self.predict.order):
            raise ModelError(
                f"The data for a reference model holds {len(fresh.classes_)} of {self.info.classes} classes.",
                expected="every class in every sample of the training records",
                remedy="audit more training records",
            )
        return SklearnModel(Estimator(fresh, self.predict.schema, self.predict.order), self.info, self.answer)


def open_sklearn(file: ModelFile, expected: Expected) -> SklearnModel:
    """A classifier or pipeline that ``skops.io.dump`` saved.

    Raises:
        Refused: The file holds types that are not on the list of ``sklearn_file``.
        IntegrityError: It is truncated or damaged.
        UsageError: It is no classifier, or its features or classes are not the data's.
        ModelError: It raised, or answered with something unusable.
        Unavailable: ``skops`` or ``scikit-learn`` is missing.
    """
    estimator = load_estimator(file)
    _check_classifier(file.name, estimator)
    schema = expected.schema
    check_columns(file.name, int(estimator.n_features_in_), schema)
    order = column_order(list(estimator.classes_), schema.classes, file.name)
    predict = Estimator(estimator, schema, tuple(order))
    found = probe(file.name, predict, expected)
    own = PROBABILITIES if predict.gives_probabilities else LOGITS
    answer = Answer(expected.scores or own, found.single)
    info = ModelInfo(file.name, "sklearn", schema.shape, expected.count, answer.scores, file.digest)
    return SklearnModel(predict, info, answer)


def to_table(x: np.ndarray, estimator: Any, schema: Schema) -> Any:
    """The input as the estimator was fitted: float64 columns, by name where it was fitted on a data frame.

    Categorical features become strings again where the estimator knows names.

    Args:
        x: (n, features) float32; categories as codes.
        estimator: Fitted; ``feature_names_in_`` says whether it knows names.
        schema: Names and categories of the columns.

    Raises:
        UsageError: The data lacks a column that the estimator was fitted on.
    """
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return rows
    import pandas

    places = {feature.name: place for place, feature in enumerate(schema.features)}
    missing = [str(name) for name in names if name not in places]
    if missing:
        raise UsageError(
            f"The data has no column {missing[0]!r}, on which the model was fitted.",
            expected=", ".join(map(str, names)),
            remedy="name the data's columns as they were when the model was fitted",
        )
    return pandas.DataFrame({name: _column(rows[:, places[name]], schema, places[name]) for name in names})


def _column(values: np.ndarray, schema: Schema, place: int) -> np.ndarray:
    feature = schema.features[place]
    if feature.kind is not Kind.CATEGORICAL or not feature.categories:
        return values
    categories = np.array(feature.categories, object)
    return categories[np.clip(np.rint(values).astype(np.int64), 0, len(categories) - 1)]  # type: ignore[no-any-return]


def _check_classifier(name: str, estimator: Any) -> None:
    scores = hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    fitted = hasattr(estimator, "n_features_in_") and hasattr(estimator, "classes_")
    if not scores or not fitted:
        raise UsageError(
            f"{name!r} holds {type(estimator).__name__}, which is no fitted classifier.",
            expected="a fitted estimator or pipeline with predict_proba or decision_function",
            remedy="fit it before saving; give SVC(probability=True) or use its decision_function",
        )


def _labels(predict: Estimator) -> np.ndarray:
    """The estimator's own label of each class of the data."""
    return np.asarray(predict.estimator.classes_)[list(predict.order)]


def _seeded(estimator: Any, seed: int) -> Any:
    names = [key for key in estimator.get_params() if key == "random_state" or key.endswith("__random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed % 2**32))
