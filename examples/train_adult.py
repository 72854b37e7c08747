r"""UCI Adult with declared relations, and four models of it: boosted trees, logistic regression, a small network.

Run it where ``adult.data.gz`` lies, then audit what it saved:

    python examples/train_adult.py ../shared/data --out demo/adult
    gambeson audit demo/adult/adult.txt --data demo/adult/adult.csv --label income --eps 2% --categories 1 \
        --data-option "relations=capital_net = capital_gain - capital_loss, education -> education_num"
"""

from __future__ import annotations

import argparse
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import skops.io
import torch
import xgboost
from safetensors.torch import save_file
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn

import gambeson as gb
from gambeson.data.schema import Kind

NAMES = (
    "age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,"
    "capital_gain,capital_loss,hours_per_week,native_country,income"
)
RELATIONS = "capital_net = capital_gain - capital_loss, education_num < age, education -> education_num"
CATEGORIES = {1: 9, 3: 16, 5: 7, 6: 15, 7: 6, 8: 5, 9: 2, 14: 42}
"""Place and number of categories of each categorical column."""
NUMBERS = (0, 2, 4, 10, 11, 12, 13)


class Network(nn.Module):
    """Two hidden layers over standardised numbers and one-hot categories."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(NUMBERS)))
        self.register_buffer("spread", torch.ones(len(NUMBERS)))
        width = len(NUMBERS) + sum(CATEGORIES.values())
        self.layers = nn.Sequential(
            nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, 15) rows in input units to (n, 2) logits."""
        numbers = (x[:, list(NUMBERS)] - self.mean) / self.spread
        hot = [
            nn.functional.one_hot(x[:, place].long().clamp(0, count - 1), count)
            for place, count in CATEGORIES.items()
        ]
        return self.layers(torch.cat([numbers, *hot], 1))


def build() -> nn.Module:
    """The factory that ``--factory`` names."""
    return Network()


def write_table(source: Path, path: Path, rows: int | None = None) -> None:
    """UCI Adult (or its first rows) as CSV with its header, and a column ``capital_net`` that two others determine."""
    frame = pd.read_csv(source, names=NAMES.split(","), skipinitialspace=True, nrows=rows)
    place = frame.columns.get_loc("capital_loss") + 1
    frame.insert(place, "capital_net", frame["capital_gain"] - frame["capital_loss"])
    frame.to_csv(path, index=False)


def open_table(path: Path) -> gb.Dataset:
    """The table with its relations."""
    return gb.open_dataset(
        str(path), options=gb.DataOptions.from_pairs((("label", "income"), ("relations", RELATIONS)))
    )


def train_network(x: np.ndarray, y: np.ndarray) -> nn.Module:
    """Fit the network with Adam."""
    torch.manual_seed(0)
    network, rows, labels = Network(), torch.from_numpy(x), torch.from_numpy(y)
    network.mean.copy_(rows[:, list(NUMBERS)].mean(0))
    network.spread.copy_(rows[:, list(NUMBERS)].std(0))
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(8):
        for batch in torch.randperm(len(rows)).split(256):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(rows[batch]), labels[batch]).backward()
            optimiser.step()
    return network.eval()


def _pipeline(data: gb.Dataset, x: np.ndarray, y: np.ndarray) -> object:
    """Logistic regression that takes the categories as texts."""
    columns = {}
    for i, feature in enumerate(data.schema.features):
        names = np.array(feature.categories, dtype=object)
        columns[feature.name] = names[x[:, i].astype(int)] if feature.kind is Kind.CATEGORICAL else x[:, i]
    texts = [f.name for f in data.schema.features if f.kind is Kind.CATEGORICAL]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), texts), remainder=StandardScaler()
    )
    pipeline = make_pipeline(encode, LogisticRegression(max_iter=1_000))
    return pipeline.fit(pd.DataFrame(columns), np.array(data.schema.classes, dtype=object)[y])


def train_all(source: Path, folder: Path, rows: int | None = None) -> gb.Dataset:
    """Write the table and the four models into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(source, folder / "adult.csv", rows)
    data = open_table(folder / "adult.csv")
    train = data.split("train")
    x, y = train.take(np.arange(len(train)))
    trees = xgboost.XGBClassifier(n_estimators=100, max_depth=5, random_state=0, n_jobs=1).fit(x, y)
    trees.get_booster().save_model(folder / "adult.json")
    leaves = lightgbm.LGBMClassifier(n_estimators=100, random_state=0, n_jobs=1, verbose=-1).fit(x, y)
    leaves.booster_.save_model(folder / "adult.txt")
    skops.io.dump(_pipeline(data, x, y), folder / "adult.skops")
    save_file(train_network(x, y).state_dict(), folder / "adult.safetensors")
    return data


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds adult.data.gz")
    parser.add_argument("--out", type=Path, default=Path("demo/adult"), help="folder for table and models")
    parser.add_argument("--rows", type=int, help="only the first so many rows, for a quick look")
    arguments = parser.parse_args()
    train_all(arguments.data / "adult.data.gz", arguments.out, arguments.rows)
    print(f"Saved adult.csv, .json, .txt, .skops and .safetensors in {arguments.out}")


if __name__ == "__main__":
    main()
