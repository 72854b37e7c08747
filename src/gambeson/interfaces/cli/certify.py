"""``gambeson certify``: prove what accuracy is left, and attack the same classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.progress import choose_progress

if TYPE_CHECKING:
    from gambeson.core.measurement import Measurement
    from gambeson.service.certifying import CertifyReport

_PROOF = "Proof"

Model = Annotated[str, typer.Argument(metavar="MODEL", help="As for gambeson audit")]
Norm = Annotated[
    str | None,
    typer.Option(
        "--norm",
        metavar="NORM",
        help="linf, l2 or l1 (default: linf; with --smooth l2)",
        rich_help_panel=_PROOF,
    ),
]
Eps = Annotated[
    list[str] | None,
    typer.Option(
        "--eps",
        metavar="RADII",
        help="One or several, e.g. 0.05,0.1 or 2/255, or shares of the range (default: 8/255; with --smooth "
        "multiples of SIGMA)",
        rich_help_panel=_PROOF,
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAMES",
        help="ibp, crown-ibp, crown, alpha-crown (default: all that the network's size allows)",
        rich_help_panel=_PROOF,
    ),
]
Smooth = Annotated[
    str | None,
    typer.Option(
        "--smooth",
        metavar="SIGMA",
        help="Certify the classifier that votes over Gaussian noise of this size",
        rich_help_panel=_PROOF,
    ),
]
N = Annotated[
    str | None,
    typer.Option(
        "--n",
        metavar="N",
        help="Noisy copies that estimate a class's probability (default: 1000)",
        rich_help_panel=_PROOF,
    ),
]
N0 = Annotated[
    str | None,
    typer.Option(
        "--n0", metavar="N", help="Noisy copies that choose the class (default: 100)", rich_help_panel=_PROOF
    ),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        "--alpha",
        metavar="CHANCE",
        help="Of a wrong certificate, for each sample (default: 0.001)",
        rich_help_panel=_PROOF,
    ),
]
Count = Annotated[
    str | None,
    typer.Option(
        "--samples",
        metavar="N",
        help="Rows to certify (default: 100)",
        rich_help_panel="Effort",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Writes certify.json and certified.npz there"),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON on stdout")]


def certify(
    model: Model,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    scores: options.Scores = None,
    classes: options.Classes = None,
    split: options.Split = None,
    norm: Norm = None,
    eps: Eps = None,
    freeze: options.Freeze = None,
    method: Methods = None,
    smooth: Smooth = None,
    n: N = None,
    n0: N0 = None,
    alpha: Alpha = None,
    samples: Count = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    no_progress: options.NoProgress = False,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Prove how much accuracy of MODEL is left within --eps, and attack the same classifier."""
    flags = dict(locals())
    from gambeson.interfaces.cli.certify_command import certify_command
    from gambeson.service.certifying import run_certify

    command = certify_command(flags)
    with choose_progress(quiet=no_progress) as progress:
        report = run_certify(command, progress)
    if as_json:
        typer.echo(report.to_json(), nl=False)
        return 0
    console = Console()
    _show(console, report)
    if out is not None:
        console.print(f"wrote {out / 'certify.json'} and {out / 'certified.npz'}", highlight=False)
    return 0


def _show(console: Console, report: CertifyReport) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{report.subject} · {report.norm}")
    for column in ("eps", "certified (at least)", "attacked (at most)", "n"):
        table.add_column(column)
    table.add_row("0", _figure(report.clean), _figure(report.clean), str(report.clean.n))
    for item in report.brackets:
        low, high = item.certified, item.attacked
        table.add_row(f"{item.eps:.4g}", _figure(low), _figure(high), str(low.n))
    console.print(table)
    if report.abstained is not None:
        console.print(f"abstained on {_figure(report.abstained)}", highlight=False)
    console.print(f"proved by {report.method}", highlight=False, markup=False)


def _figure(figure: Measurement) -> str:
    band = figure.interval
    spread = f" [{band.low:.3f}, {band.high:.3f}]" if band else ""
    return f"{figure.value:.3f}{spread}".replace("[", "\\[")
