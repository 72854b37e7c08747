"""The command line as a whole: commands, version, and one way out for every error."""

from __future__ import annotations

import os
import sys

import typer
from typer.exceptions import TyperException

from gambeson import __version__
from gambeson.core.errors import GambesonError, UsageError
from gambeson.interfaces.cli import audit, init, lists, report
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE, show_error, show_unexpected

_EPILOG = """
[bold]Examples[/bold]

  gambeson audit model.onnx --data test.npz\n
  gambeson audit weights.safetensors --factory net.py:build --data test.npz --eps 8/255\n
  gambeson audit model.skops --data people.csv --label income --eps 10%\n
  gambeson init model.pt2 --data builtin:digits && gambeson audit\n
  gambeson report diff before/report.json after/report.json

[bold]Exit codes[/bold]  0 nothing at or above the gate, 1 gate closed, 2 could not complete or wrong usage
"""

app = typer.Typer(
    name="gambeson",
    help="Attack a machine-learning model as an adversary would, and report what holds, with evidence.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    pretty_exceptions_enable=False,
)
app.command("audit", rich_help_panel="Commands")(audit.audit)
app.command("init", rich_help_panel="Commands")(init.init)
app.add_typer(report.app, name="report", rich_help_panel="Commands")
app.add_typer(lists.app, name="list", rich_help_panel="Commands")
app.command("schema", rich_help_panel="Commands")(lists.schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gambeson {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


def run(words: list[str]) -> int:
    """Run one command.

    Args:
        words: What follows ``gambeson`` on the command line.

    Returns:
        The exit code: 0, 1 or 2.
    """
    debug = os.environ.get("GAMBESON_DEBUG", "") not in ("", "0")
    as_json = "--json" in words
    try:
        code = app(words or ["--help"], prog_name="gambeson", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return COULD_NOT_COMPLETE
    except TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "gambeson"
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        show_error(UsageError(message, remedy=f"see {where} --help"), as_json=as_json)
    except GambesonError as error:
        if debug:
            raise
        show_error(error, as_json=as_json)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if debug:
            raise
        show_unexpected(error)
    return COULD_NOT_COMPLETE
