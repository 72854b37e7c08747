"""The command line as a whole: commands, version, and one way out for every error."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

import typer
from typer.exceptions import TyperException

from gambeson import __version__
from gambeson.core.errors import GambesonError, ModelError, UsageError
from gambeson.interfaces.cli import (
    attack,
    audit,
    certify,
    data_commands,
    harden,
    init,
    key,
    ledger,
    lists,
    ownership,
    release,
    report,
    scan,
    schema,
    train,
)
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE, explain, show_error

_DEBUG = "--debug"
_TRACE = "Trace"
_INTERRUPTED = 130  # what Typer makes of a second Ctrl-C

_EPILOG = """
[bold]Examples[/bold]

  gambeson audit model.onnx --data test.npz\n
  gambeson audit weights.safetensors --factory net.py:build --data test.npz --eps 8/255\n
  gambeson audit model.skops --data people.csv --label income --eps 10%\n
  gambeson init model.pt2 --data builtin:digits && gambeson audit\n
  gambeson report diff before/report.json after/report.json

[bold]Exit codes[/bold]  0 nothing at or above the gate, 1 gate closed, 2 could not complete or wrong usage
"""

_AUDIT_EPILOG = """
[bold]Examples[/bold]

  gambeson audit model.onnx -d test.npz --norm l2 --eps 0.5 --access scores\n
  gambeson audit model.skops -d people.csv --label income --eps 10% --freeze age,sex\n
  gambeson audit --profile quick --time-budget 5m --fail-on medium
"""

_ATTACK_EPILOG = """
[bold]Examples[/bold]

  gambeson attack apgd model.pt2 -d test.npz --eps 8/255 -p steps=100 -p loss=dlr\n
  gambeson attack hopskipjump model.onnx -d test.npz --norm l2 --nearest -p queries=2000 --out found\n
  gambeson attack strongest model.pt2 -d builtin:digits --eps 0.1 --out found --png\n
  gambeson attack fgsm,pgd,apgd,square model.pt2 -d test.npz --eps 8/255 -p pgd.steps=40
"""

_CERTIFY_EPILOG = """
[bold]Examples[/bold]

  gambeson certify model.pt2 -d test.npz --eps 0.05,0.1,0.2\n
  gambeson certify model.pt2 -d test.npz --norm l2 --eps 0.5 --method ibp,crown\n
  gambeson certify model.pt2 -d test.npz --smooth 0.25 --n 10000
"""

_SCAN_EPILOG = """
[bold]Examples[/bold]

  gambeson scan model.pt\n
  gambeson scan models/ --fail-on medium --sarif scan.sarif\n
  gambeson scan downloads/ --json --jobs 2 > scan.json
"""

_HARDEN_EPILOG = """
[bold]Examples[/bold]

  gambeson harden weights.safetensors --factory net.py:build -d builtin:digits --eps 0.1\n
  gambeson harden weights.safetensors --factory net.py:build -d train.npz --eps 8/255 --recipe pgd,trades\n
  gambeson harden weights.safetensors --factory net.py:build -d train.npz --eps 0.3 --fresh --time-budget 30m
"""

app = typer.Typer(
    name="gambeson",
    help="Attack machine-learning models as an adversary would, harden them, and trace what they are made of.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    pretty_exceptions_enable=False,
)
app.command("audit", epilog=_AUDIT_EPILOG, rich_help_panel="Commands")(audit.audit)
app.command("attack", epilog=_ATTACK_EPILOG, rich_help_panel="Commands")(attack.attack)
app.command("certify", epilog=_CERTIFY_EPILOG, rich_help_panel="Commands")(certify.certify)
app.command("harden", epilog=_HARDEN_EPILOG, rich_help_panel="Commands")(harden.harden)
app.command("scan", epilog=_SCAN_EPILOG, rich_help_panel="Commands")(scan.scan)
app.command("init", rich_help_panel="Commands")(init.init)
app.add_typer(data_commands.data_app, name="data", rich_help_panel=_TRACE)
app.add_typer(train.model_app, name="model", rich_help_panel=_TRACE)
app.command("sign", rich_help_panel=_TRACE)(release.sign)
app.command("verify", rich_help_panel=_TRACE)(release.verify)
app.command("promote", rich_help_panel=_TRACE)(release.promote)
app.command("rollback", rich_help_panel=_TRACE)(release.rollback)
app.command("lineage", rich_help_panel=_TRACE)(release.lineage)
app.add_typer(key.app, name="key", rich_help_panel=_TRACE)
app.add_typer(ledger.app, name="ledger", rich_help_panel=_TRACE)
app.add_typer(ledger.store_app, name="store", rich_help_panel=_TRACE)
app.add_typer(ownership.app, name="ownership", rich_help_panel="Commands")
app.add_typer(report.app, name="report", rich_help_panel="Commands")
app.add_typer(lists.app, name="list", rich_help_panel="Commands")
app.command("schema", rich_help_panel="Commands")(schema.schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gambeson {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", metavar="", callback=_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(
        False, _DEBUG, metavar="", help="Show the traceback of an error; also GAMBESON_DEBUG=1."
    ),
) -> None:
    pass


def run(words: list[str]) -> int:
    """Run one command.

    Args:
        words: What follows ``gambeson`` on the command line; ``--debug`` may stand anywhere among them.

    Returns:
        The exit code: 0, 1 or 2.
    """
    try:
        code = _run([word for word in words if word != _DEBUG], debug=_DEBUG in words or _debug_is_set())
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _let_go_of_stdout()
    except SystemExit as stop:
        # Typer and Rich leave with 1 where nobody reads the output any more: that is no verdict of the gate.
        if isinstance(stop.__context__, OSError):
            _let_go_of_stdout()
        elif _is_completion(words):
            return int(stop.code or 0)
        else:
            show_error(ModelError(f"The code of the model ended the program (exit {stop.code})."))
    return COULD_NOT_COMPLETE


def _run(words: list[str], *, debug: bool) -> int:
    try:
        code = app(words or ["--help"], prog_name="gambeson", standalone_mode=False)
        if code == _INTERRUPTED:
            goes_on = "gambeson audit --resume goes on from there" if "audit" in words[:1] else ""
            show_error(GambesonError("Interrupted.", remedy=goes_on))
        return COULD_NOT_COMPLETE if code not in (None, 0, 1) else code or 0
    except typer.Abort:
        typer.echo("aborted", err=True)
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        cause = _usage(error) if isinstance(error, TyperException) else explain(error)
        show_error(cause, as_json="--json" in words)
    return COULD_NOT_COMPLETE


def _is_completion(words: list[str]) -> bool:
    """Whether the shell asks for completions or their script; Typer then leaves by itself."""
    return "_GAMBESON_COMPLETE" in os.environ or bool(
        {"--show-completion", "--install-completion"} & set(words)
    )


def _debug_is_set() -> bool:
    return os.environ.get("GAMBESON_DEBUG", "") not in ("", "0")


def _usage(error: TyperException) -> UsageError:
    """Wrong words on the command line, said as every other error."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "gambeson"
    message = error.format_message().strip() or f"{where} needs a command."
    return UsageError(message, remedy=f"see {where} --help")


def _let_go_of_stdout() -> None:
    """Keep the interpreter from complaining about a closed stdout once more when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
