"""Options of ``gambeson audit``, grouped as its help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_MODEL, _THREAT, _EFFORT = "Model and data", "Attacker", "Effort"
_RUN, _OUT = "Run", "Report and gate"


def _option(panel: str, *names: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False)


Model = Annotated[
    str | None,
    typer.Argument(
        help="Model: .pt2, .safetensors or .pt weights with --factory, .onnx, .skops, XGBoost .json/.ubj, "
        "LightGBM .txt, or python:module:function. Default: from gambeson.toml.",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    _option(
        _MODEL,
        "--data",
        "-d",
        metavar="URI",
        help=".npz, .csv, .parquet, image folder, builtin:digits, builtin:breast_cancer",
    ),
]
DataOption = Annotated[
    list[str] | None,
    _option(_MODEL, "--data-option", metavar="KEY=VALUE", help="How to read the data, e.g. header=none"),
]
Label = Annotated[str | None, _option(_MODEL, "--label", help="Column or array that holds the label")]
Factory = Annotated[
    str | None,
    _option(_MODEL, "--factory", metavar="MODULE:FUNCTION", help="Builds the network for a weights file"),
]
Scores = Annotated[
    str | None, _option(_MODEL, "--scores", help="logits or probabilities (default: found out)")
]
Split = Annotated[str | None, _option(_MODEL, "--split", help="Split that is attacked (default: test)")]
TrainSplit = Annotated[
    str | None,
    _option(
        _MODEL,
        "--train-split",
        help="The target's training records; none if unknown (default: train, "
        "where the data has splits of its own)",
    ),
]
Norm = Annotated[str | None, _option(_THREAT, "--norm", help="linf, l2, l1 or l0 (default: linf)")]
Eps = Annotated[
    str | None,
    _option(
        _THREAT,
        "--eps",
        help="Radius in input units (8/255, 0.03), or a share of each feature's range (10%) (default: 8/255)",
    ),
]
Access = Annotated[
    str | None, _option(_THREAT, "--access", help="labels, scores or gradient (default: gradient)")
]
Queries = Annotated[int | None, _option(_THREAT, "--queries", help="Most queries per sample")]
Freeze = Annotated[
    list[str] | None,
    _option(_THREAT, "--freeze", metavar="FEATURE", help="Features that cannot be changed; repeatable"),
]
Profile = Annotated[
    str | None, _option(_EFFORT, "--profile", help="quick, standard or thorough (default: standard)")
]
Samples = Annotated[int | None, _option(_EFFORT, "--samples", help="Rows to attack")]
Only = Annotated[
    list[str] | None, _option(_EFFORT, "--only", help="Families or checks to run, e.g. evasion,privacy")
]
Skip = Annotated[list[str] | None, _option(_EFFORT, "--skip", help="Families or checks to leave out")]
TimeBudget = Annotated[
    str | None, _option(_EFFORT, "--time-budget", metavar="10m", help="Time for the whole audit")
]
Seed = Annotated[int | None, _option(_RUN, "--seed", help="Same seed, same figures (default: 0)")]
BatchSize = Annotated[
    int | None,
    _option(_RUN, "--batch-size", help="Samples per model pass; changes no result (default: 64)"),
]
Resume = Annotated[bool, _option(_RUN, "--resume", help="Go on with the interrupted run in --out")]
Config = Annotated[
    Path | None, _option(_RUN, "--config", help="Configuration file (default: gambeson.toml, if there)")
]
Quiet = Annotated[bool, _option(_RUN, "--quiet", "-q", help="No progress and no summary")]
Out = Annotated[
    Path | None, _option(_OUT, "--out", "-o", help="Folder for the reports (default: gambeson-audit)")
]
Formats = Annotated[
    list[str] | None, _option(_OUT, "--format", "-f", help="json, html, sarif, junit (default: all)")
]
FailOn = Annotated[
    str | None,
    _option(
        _OUT,
        "--fail-on",
        help="Severity that closes the gate: never, low, medium, high, critical (default: high)",
    ),
]
Threshold = Annotated[
    list[str] | None,
    _option(_OUT, "--threshold", metavar="RULE", help="e.g. 'evasion.gradient.robust_accuracy >= 0.4'"),
]
AsJson = Annotated[bool, _option(_OUT, "--json", help="Print report.json on stdout")]
