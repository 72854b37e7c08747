"""Attribute inference on Adult: what models give away of sex, race and marital status beyond imputation."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

import gambeson as gb
from benchmarks.subjects import data_folder
from examples import train_adult
from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.finding import Finding
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.models.model import ModelInfo

SENSITIVE = ("sex", "race", "marital_status")


@dataclass
class Fitted:
    """An estimator behind the seam; ``blind`` columns are set to 0 before it sees a row."""

    estimator: object
    blind: tuple[int, ...]
    info: ModelInfo

    def scores(self, x: np.ndarray) -> np.ndarray:
        """(n, 2) probabilities."""
        return self.estimator.predict_proba(_without(x, self.blind)).astype(np.float32)


def attributes_table(*, quick: bool) -> str | None:
    """A Markdown table, or ``None`` without the data folder."""
    source = data_folder() / "adult.data.gz"
    if not source.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adult.csv"
        train_adult.write_table(source, path)
        data = gb.open_dataset(str(path), options=gb.DataOptions.from_pairs((("label", "income"),)))
        rows = [row for model in _models(data) for row in _audited(model, data, quick=quick)]
    records = PROFILES["quick" if quick else "standard"].records
    lines = [
        "## Attribute inference on Adult",
        "",
        f"UCI Adult, three quarters of the 32,561 rows for training. {records} training records are asked about, half "
        "of the other quarter as non-members; the other half is the attacker's, who knows all of a row but one. "
        "Accuracy by frequency alone, of the best guess without the model (gradient boosting on the attacker's rows), "
        "and of the best of the attacks with it; the advantage is their difference on the same rows, *memorised* how "
        "much larger it is on training records than on others. Intervals hold together at 95% for each model "
        "(Bonferroni). *Blind* models never saw the three features.",
        "",
        "| model | feature | label known | by frequency | without model | with model | advantage | memorised | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _models(data: gb.Dataset) -> list[Fitted]:
    x, y = data.split("train").take(np.arange(len(data.split("train"))))
    places = tuple(data.schema.place(name) for name in SENSITIVE)
    kinds = {
        "LightGBM, 100 trees": LGBMClassifier(n_estimators=100, random_state=0, n_jobs=1, verbose=-1),
        "random forest, grown out": RandomForestClassifier(50, random_state=0, n_jobs=1),
        "decision tree, grown out": DecisionTreeClassifier(random_state=0),
        "LightGBM, blind": LGBMClassifier(n_estimators=100, random_state=0, n_jobs=1, verbose=-1),
        "random forest, blind": RandomForestClassifier(50, random_state=0, n_jobs=1),
    }
    made = []
    for name, estimator in kinds.items():
        blind = places if name.endswith("blind") else ()
        info = ModelInfo(name, "callable", data.schema.shape, 2, "probabilities")
        made.append(Fitted(estimator.fit(_without(x, blind), y), blind, info))
    return made


def _without(x: np.ndarray, places: tuple[int, ...]) -> np.ndarray:
    x = x.copy()
    x[:, list(places)] = 0
    return x


def _audited(model: Fitted, data: gb.Dataset, *, quick: bool) -> list[str]:
    begun = time.process_time()
    context = CheckContext(
        check="privacy.attributes",
        model=model,
        data=replace(data, schema=replace(data.schema, sensitive=SENSITIVE)),
        threat=gb.ThreatModel(access="scores"),
        effort=PROFILES["quick" if quick else "standard"],
        seed=Seed(0).child("privacy.attributes"),
        rows_per_pass=1_024,
    )
    (finding,) = checks["privacy.attributes"].plugin(context)
    taken = time.process_time() - begun
    print(model.info.name, finding.outcome, finding.severity, f"{taken:.0f} s", flush=True)
    return [
        _row(model.info.name, name, known, finding, taken) for name in SENSITIVE for known in (False, True)
    ]


def _row(model: str, name: str, known: bool, finding: Finding, taken: float) -> str:
    prefix = f"{name}.with_label" if known else name
    shares = [
        f"{finding.measurement(f'{prefix}.accuracy_{what}').value:.3f}"
        for what in ("by_marginals", "without_model", "with_model")
    ]
    spread = [_with_interval(finding.measurement(f"{prefix}.{what}")) for what in ("advantage", "memorised")]
    return f"| {' | '.join([model, name, 'yes' if known else 'no', *shares, *spread])} | {taken:.0f} |"


def _with_interval(figure: Measurement) -> str:
    band = figure.interval
    return f"{figure.value:+.3f} [{band.low:+.3f}, {band.high:+.3f}]"
