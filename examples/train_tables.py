"""Trains tabular classifiers: scikit-learn pipelines and XGBoost trees, saved without pickle.

Run it, then audit what it saved; with ``--adult FOLDER`` (it holds ``adult.data.gz``, UCI Adult) it also writes
``adult.skops``, a pipeline that takes the categories as text:

    python examples/train_tables.py --out demo
    gambeson audit demo/breast_cancer.skops --data builtin:breast_cancer --eps 10%
    gambeson audit demo/breast_cancer.json --data builtin:breast_cancer --eps 10%
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import gambeson as gb
from gambeson.data.schema import Kind

ADULT_NAMES = (
    "age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,"
    "capital_gain,capital_loss,hours_per_week,native_country,income"
)


def breast_cancer(folder: Path) -> None:
    """Logistic regression and boosted trees on ``builtin:breast_cancer``."""
    train = gb.open_dataset("builtin:breast_cancer").split("train")
    x, y = train.take(np.arange(len(train)))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(x, y)
    skops.io.dump(pipeline, folder / "breast_cancer.skops")
    trees = xgboost.XGBClassifier(n_estimators=60, max_depth=3, random_state=0).fit(x, y)
    trees.get_booster().save_model(folder / "breast_cancer.json")


def adult(source: Path, folder: Path) -> None:
    """Logistic regression over one-hot categories on UCI Adult, fitted to the training split that Gambeson draws."""
    options = gb.DataOptions.from_pairs((("header", "none"), ("names", ADULT_NAMES), ("label", "income")))
    data = gb.open_dataset(source / "adult.data.gz", options=options)
    train = data.split("train")
    x, y = train.take(np.arange(len(train)))
    columns = {}
    for i, feature in enumerate(data.schema.features):
        values = x[:, i]
        names = np.array(feature.categories, dtype=object)
        columns[feature.name] = names[values.astype(int)] if feature.kind is Kind.CATEGORICAL else values
    categories = [f.name for f in data.schema.features if f.kind is Kind.CATEGORICAL]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), categories), remainder=StandardScaler()
    )
    pipeline = make_pipeline(encode, LogisticRegression(max_iter=1_000))
    labels = np.array(data.schema.classes, dtype=object)[y]
    skops.io.dump(pipeline.fit(pd.DataFrame(columns), labels), folder / "adult.skops")


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), help="folder for the models (default: demo)"
    )
    parser.add_argument("--adult", type=Path, help="folder that holds adult.data.gz")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    breast_cancer(arguments.out)
    if arguments.adult:
        adult(arguments.adult, arguments.out)
    print(f"Saved models in {arguments.out}")


if __name__ == "__main__":
    main()
