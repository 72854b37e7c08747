"""Options of ``gambeson audit``, grouped as its help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_MODEL, _THREAT, _EFFORT = "Model and data", "Attacker", "Effort"
_RUN, _OUT = "Run", "Report and gate"


def _option(panel: str, *names: str, help: str, metavar: str = "") -> Any:
    """An option without a default of its own: what is not given comes from gambeson.toml."""
    return typer.Option(*names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False)


Model = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL",
        help="Model file: .pt2, .safetensors or .pt weights with --factory, .onnx, .skops, XGBoost "
        ".json/.ubj, LightGBM .txt; or python:module:function",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    _option(
        _MODEL,
        "--data",
        "-d",
        metavar="DATA",
        help=".npz, .csv, .parquet, folder of pictures, builtin:digits or builtin:breast_cancer",
    ),
]
DataOption = Annotated[
    list[str] | None,
    _option(
        _MODEL,
        "--data-option",
        metavar="KEY=VALUE",
        help="How to read the data, e.g. header=none; repeatable",
    ),
]
Label = Annotated[
    str | None, _option(_MODEL, "--label", metavar="NAME", help="Column or array that holds the label")
]
Factory = Annotated[
    str | None,
    _option(_MODEL, "--factory", metavar="FILE:FUNCTION", help="Builds the network for a weights file"),
]
Scores = Annotated[
    str | None,
    _option(_MODEL, "--scores", metavar="KIND", help="logits or probabilities (default: found out)"),
]
Classes = Annotated[
    str | None, _option(_MODEL, "--classes", metavar="N", help="Number of classes, if the data lacks some")
]
Split = Annotated[
    str | None, _option(_MODEL, "--split", metavar="NAME", help="Split that is attacked (default: test)")
]
TrainSplit = Annotated[
    str | None,
    _option(
        _MODEL,
        "--train-split",
        metavar="NAME",
        help="The model's training records; none if unknown (default: train, "
        "where the data has splits of its own)",
    ),
]
Norm = Annotated[
    str | None, _option(_THREAT, "--norm", metavar="NORM", help="linf, l2, l1 or l0 (default: linf)")
]
Eps = Annotated[
    str | None,
    _option(
        _THREAT,
        "--eps",
        metavar="RADIUS",
        help="In input units (8/255, 0.03), or as a share of each feature's range (10%) (default: 8/255)",
    ),
]
Access = Annotated[
    str | None,
    _option(_THREAT, "--access", metavar="LEVEL", help="labels, scores or gradient (default: gradient)"),
]
Queries = Annotated[str | None, _option(_THREAT, "--queries", metavar="N", help="Most queries per sample")]
Freeze = Annotated[
    list[str] | None,
    _option(
        _THREAT, "--freeze", metavar="NAMES", help="Features that cannot be changed, e.g. age,sex; repeatable"
    ),
]
Surrogate = Annotated[
    str | None,
    _option(
        _THREAT,
        "--surrogate",
        metavar="MODEL",
        help="Another model that the attacker holds, for transfer attacks (default: one is trained)",
    ),
]
SurrogateFactory = Annotated[
    str | None,
    _option(
        _THREAT, "--surrogate-factory", metavar="FILE:FUNCTION", help="Builds the network of --surrogate"
    ),
]
Categories = Annotated[
    str | None,
    _option(
        _THREAT,
        "--categories",
        metavar="N",
        help="Categories of a table's row that may change, beside --eps on its numbers (default: 0)",
    ),
]
Profile = Annotated[
    str | None,
    _option(_EFFORT, "--profile", metavar="NAME", help="quick, standard or thorough (default: standard)"),
]
Samples = Annotated[
    str | None,
    _option(_EFFORT, "--samples", metavar="N", help="Rows to attack (default: the profile's number)"),
]
Only = Annotated[
    list[str] | None,
    _option(_EFFORT, "--only", metavar="NAMES", help="Families or checks to run, e.g. evasion,privacy"),
]
Skip = Annotated[
    list[str] | None, _option(_EFFORT, "--skip", metavar="NAMES", help="Families or checks to leave out")
]
TimeBudget = Annotated[
    str | None,
    _option(_EFFORT, "--time-budget", metavar="TIME", help="For the whole audit: 90s, 10m, 1h30m"),
]
Seed = Annotated[
    str | None, _option(_RUN, "--seed", metavar="N", help="Same seed, same figures (default: 0)")
]
BatchSize = Annotated[
    str | None,
    _option(
        _RUN,
        "--batch-size",
        metavar="N",
        help="Most samples per model pass; changes no result (default: 128)",
    ),
]
Jobs = Annotated[
    str | None,
    _option(_RUN, "--jobs", "-j", metavar="N", help="Checks run at the same time (default: 1)"),
]
Resume = Annotated[bool, _option(_RUN, "--resume", help="Go on with the interrupted run in --out")]
Config = Annotated[
    Path | None,
    _option(_RUN, "--config", metavar="FILE", help="Configuration (default: gambeson.toml, if there)"),
]
NoProgress = Annotated[bool, _option(_RUN, "--no-progress", help="No progress")]
Quiet = Annotated[bool, _option(_RUN, "--quiet", "-q", help="No progress and no summary")]
Out = Annotated[
    Path | None,
    _option(_OUT, "--out", "-o", metavar="FOLDER", help="For the reports (default: gambeson-audit)"),
]
Formats = Annotated[
    list[str] | None,
    _option(_OUT, "--format", "-f", metavar="NAMES", help="json, html, sarif, junit (default: all)"),
]
FailOn = Annotated[
    str | None,
    _option(
        _OUT,
        "--fail-on",
        metavar="SEVERITY",
        help="Closes the gate: never, low, medium, high or critical (default: high)",
    ),
]
Threshold = Annotated[
    list[str] | None,
    _option(
        _OUT,
        "--threshold",
        metavar="RULE",
        help="Closes the gate too, e.g. 'evasion.gradient.robust_accuracy >= 0.4'; repeatable",
    ),
]
AsJson = Annotated[bool, _option(_OUT, "--json", help="Print report.json on stdout, the rest on stderr")]
